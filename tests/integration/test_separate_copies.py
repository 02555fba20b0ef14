"""Separate copies with merge fields: each its own message, its own values, its own links; and bad rows named before."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from tests.stack import Person, Stack, until

HTML = (
    '<p>Hello {{first_name|there}},</p><p><a href="https://example.com/?n={{first_name}}&amp;c={{Company}}">'
    "for {{company}}</a> {{{{literal}}</p>"
)
INES = {"address": "ines@globex.example", "name": "Ines Moreau"}


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person("ana")


def values(first: str, company: str) -> dict[str, str]:
    return {"First Name": first, "Company": company}


def draft(ana: Person, **more: Any) -> dict[str, Any]:
    return {
        "connection": ana.connect()["id"],
        "subject": "For {{company}}",
        "html": HTML,
        "separate_copies": True,
        "recipients": [
            {**INES, "values": values("Inès & <b>", "Globex ~Contact.FirstName~")},
            {"address": "Tom <tom@initech.example>", "values": values("Tom", "{{company}}\nBcc: eve@evil.example")},
        ],
        **more,
    }  # fmt: skip


def delivered(stack: Stack, delivery: str) -> EmailMessage:
    (found,) = until(lambda: stack.sandbox.messages(delivery=delivery), bool, 20)
    return email.message_from_string(found["raw"], policy=default)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def gate(ana: Person, body: dict[str, Any], name: str) -> dict[str, Any]:
    answer = ana.api("POST", "readiness", body)
    assert answer.status_code == 200, answer.text
    return next(one for one in answer.json()["gates"] if one["name"] == name)


def test_each_copy_is_filled_for_its_person(stack: Stack, ana: Person) -> None:
    made = ana.api("POST", "emails", draft(ana))
    assert made.status_code == 201, made.text
    sent = ana.email_when(made.json()["id"], "sent")
    assert [[one["address"] for one in copy["recipients"]] for copy in sent["deliveries"]] == [
        ["ines@globex.example"],
        ["tom@initech.example"],
    ]
    assert (sent["progress"]["total"], sent["progress"]["sent"]) == (2, 2)
    ines, tom = (delivered(stack, one["id"]) for one in sent["deliveries"])
    assert ines["Subject"] == "For Globex ~Contact.FirstName~"
    assert tom["Subject"] == "For {{company}} Bcc: eve@evil.example"
    assert tom["Bcc"] is None
    html = part(ines, "html")
    assert "Hello Inès &amp; &lt;b&gt;,</p>" in html
    assert "{{literal}}" in html
    assert "example.com" not in html.split("for Globex")[0]  # tracked: each copy has its own
    text = part(ines, "plain")
    assert "https://example.com/?n=In%C3%A8s%20%26%20%3Cb%3E&c=Globex%20~Contact.FirstName~" in text


def test_every_bad_row_is_named_before_anything_leaves(ana: Person) -> None:
    connection = ana.connect()
    people = [
        {**INES, "values": values("Ines", "Globex")},
        {"address": "", "values": values("Tom", "x")},
        {"address": "bo at hooli.example", "values": values("Bo", "x")},
        {"address": "INES@globex.example", "values": values("Ines", "x")},
        {"address": "cy@hooli.example", "values": values("", "x")},
        {"address": connection["address"], "values": values("Ana", "x")},
        {"address": "di@hooli.example", "values": values("D\ufffd", "x")},
        {"address": "ed@hooli.example", "values": values("E\u0007", "x")},
    ]
    body = draft(ana, recipients=people, connection=connection["id"])
    found = gate(ana, body, "recipients")
    assert (found["ok"], found["cause"]) == (False, "rows_bad")
    assert {one["line"]: one["reason"] for one in found["rows"]} == {
        2: "has no address",
        3: found["rows"][1]["reason"],
        4: "has the address of line 1 once more",
        5: "has nothing for {{first_name}}",
        6: "is the address it is sent from",
        7: found["rows"][5]["reason"],
        8: "has a control character in “First Name”",
    }
    assert "has no @" in found["rows"][1]["reason"]
    assert "cannot be read" in found["rows"][5]["reason"]
    assert "7 of 8 rows" in found["sentence"]
    refused = ana.api("POST", "emails", body)
    assert (refused.status_code, refused.json()["code"], refused.json()["cause"]) == (
        409,
        "not_ready",
        "rows_bad",
    )
    assert ana.api("GET", "emails").json()["items"] == []
    made = ana.api("POST", "emails", body | {"leave_out_bad_rows": True})
    assert made.status_code == 201, made.text
    assert [d["recipients"][0]["address"] for d in made.json()["deliveries"]] == ["ines@globex.example"]


@pytest.mark.parametrize(
    ("change", "name", "cause", "said"),
    [
        ({"html": "<p>{{frist_name}}</p>"}, "content", "merge_unknown", "No column is called {{frist_name}}"),
        ({"html": "<p>{{first_name</p>"}, "content", "merge_invalid", "does not end"),
        ({"separate_copies": False}, "recipients", "copies_needed", "choose separate copies"),
        ({"recipients": [], "to": ["Tom <tom@initech.example>"]}, "content", "merge_unknown", "Add a list"),
        (
            {"html": "<p>{{name}}</p>", "subject": "x", "to": ["eve@hooli.example"]},
            "recipients", "recipient_invalid", "{{name}}",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_is_said_by_its_gate(
    ana: Person, change: dict[str, Any], name: str, cause: str, said: str
) -> None:
    found = gate(ana, draft(ana) | change, name)
    assert (found["ok"], found["cause"]) == (False, cause)
    assert said in found["sentence"]


def test_an_email_that_everybody_shares_is_not_touched(stack: Stack, ana: Person) -> None:
    html = "<p>Hello {{first_name|there}} {{{{ {{</p>"
    sent = ana.send(ana.connect()["id"], to=["kim@globex.example"], html=html, subject="{{a}}", track=False)
    ana.email_when(sent["id"], "sent")
    found = delivered(stack, sent["deliveries"][0]["id"])
    assert part(found, "html").strip() == html
    assert found["Subject"] == "{{a}}"


def test_keap_is_smuggled_nothing_by_a_value(stack: Stack, ana: Person) -> None:
    box = ana.connect(provider="keap", query="capabilities=send&kind=personal")["id"]
    body = draft(ana, connection=box)
    found = gate(ana, body, "recipients")
    assert found["cause"] == "rows_bad"
    assert "in place of which Keap may put something" in found["rows"][0]["reason"]
    body["subject"] = "For you"
    made = ana.api("POST", "emails", body)
    assert made.status_code == 201, made.text
    ana.email_when(made.json()["id"], "sent")
    html = part(delivered(stack, made.json()["deliveries"][0]["id"]), "html")
    assert "~Contact.FirstName~" not in html
    assert "&#126;Contact.FirstName" in html


def test_pause_resume_and_stop(stack: Stack, ana: Person) -> None:
    people = [{"address": f"p{n}@hooli.example", "values": values(f"P{n}", "x")} for n in range(30)]
    made = ana.api("POST", "emails", draft(ana, recipients=people, undo_seconds=3600)).json()
    paused = ana.api("POST", f"emails/{made['id']}/pause").json()
    assert (paused["status"], paused["progress"]["paused"]) == ("paused", 30)
    assert ana.api("POST", f"emails/{made['id']}/release").status_code == 409  # held for nobody
    assert ana.api("POST", f"emails/{made['id']}/pause").status_code == 200  # pressed twice
    resumed = ana.api("POST", f"emails/{made['id']}/resume").json()
    assert resumed["progress"]["paused"] == 0
    ana.email_when(made["id"], "sent", 30)
    again = ana.api("POST", f"emails/{made['id']}/resume")
    assert (again.status_code, again.json()["code"]) == (409, "not_paused")
    assert ana.api("POST", f"emails/{made['id']}/pause").json()["code"] == "too_late"
    for n in range(30):
        (one,) = stack.sandbox.messages(delivery=made["deliveries"][n]["id"])
        assert (one["count"], one["to"]) == (1, [f"p{n}@hooli.example"])


def test_what_was_stopped_does_not_come_back(stack: Stack, ana: Person) -> None:
    people = [{"address": f"q{n}@hooli.example", "values": values(f"Q{n}", "x")} for n in range(5)]
    made = ana.api("POST", "emails", draft(ana, recipients=people, undo_seconds=3600)).json()
    stopped = ana.api("POST", f"emails/{made['id']}/cancel").json()
    assert (stopped["status"], stopped["progress"]["stopped"]) == ("cancelled", 5)
    assert ana.api("POST", f"emails/{made['id']}/resume").status_code == 409
    assert all(not stack.sandbox.messages(delivery=one["id"]) for one in made["deliveries"])


def test_nobody_else_pauses_or_resumes(stack: Stack) -> None:
    ana = stack.person("ana", organization="Copies alone")
    made = ana.api("POST", "emails", draft(ana, undo_seconds=3600)).json()
    for other in (stack.person("eve"), stack.member_of(ana)):
        for act in ("pause", "resume"):
            assert other.api("POST", f"emails/{made['id']}/{act}").status_code == 404
