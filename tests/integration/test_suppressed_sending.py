"""What the suppression list does to mail: single mails, copies to many, and a copy that is about to leave."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from tests.stack import Person, Stack, until

INES, TOM, EVE = "ines@globex.example", "tom@globex.example", "eve@globex.example"


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    return stack.person(organization=f"Northwind {time.time_ns()}")


@pytest.fixture(scope="module")
def connection(ana: Person) -> str:
    return str(ana.connect()["id"])


@pytest.fixture(autouse=True)
def nobody(ana: Person) -> None:
    """Each test begins with an empty list."""
    for one in ana.api("GET", "suppressions").json()["items"]:
        assert ana.api("DELETE", f"suppressions/{one['address']}?confirm=true").status_code in {200, 404}


def put(person: Person, address: str, reason: str, status: int = 201) -> None:
    answer = person.api("POST", "suppressions", {"address": address, "reason": reason})
    assert answer.status_code == status, answer.text


def gate(person: Person, connection: str, to: list[str], **draft: Any) -> dict[str, Any]:
    body = {"connection": connection, "to": to, "subject": "Prices", "text": "Hello", **draft}
    answer = person.api("POST", "readiness", body).json()
    (found,) = [one for one in answer["gates"] if one["name"] == "recipients"]
    return {**found, "ready": answer["ready"]}


def recipients(email: dict[str, Any]) -> list[str]:
    return [person["address"] for copy in email["deliveries"] for person in copy["recipients"]]


@pytest.mark.parametrize("reason", ["hard_bounce", "by_hand"])
def test_a_single_mail_is_stopped_by_name(ana: Person, connection: str, reason: str) -> None:
    put(ana, INES, reason)
    found = gate(ana, connection, ["Ines Moreau <Ines@Globex.example>"])
    assert (found["ok"], found["cause"]) == (False, "recipient_suppressed")
    assert "Ines Moreau <Ines@globex.example>" in found["sentence"]
    assert re.search(r" on \d+ \w{3} \d{4}\.", found["sentence"])
    assert found["fix"]["label"] == "Allow again"
    assert [one["email"] for one in found["who"]] == [ana.email]
    page = ana.get(found["fix"]["url"])
    assert page.status_code == 200
    assert INES in page.text
    body = {"connection": connection, "to": [INES], "subject": "x", "text": "x"}
    refused = ana.api("POST", "emails", body)
    assert (refused.status_code, refused.json()["cause"]) == (409, "recipient_suppressed")
    assert ana.post(found["fix"]["url"]).status_code == 200
    assert gate(ana, connection, [INES])["ready"]


@pytest.mark.parametrize("reason", ["asked", "imported"])
def test_of_an_unsubscribe_a_single_mail_is_warned(ana: Person, connection: str, reason: str) -> None:
    put(ana, INES, reason)
    found = gate(ana, connection, [INES])
    assert (found["ok"], found["cause"], found["ready"]) == (True, "recipient_suppressed", True)
    assert "this email goes to them if you send it" in found["sentence"]
    sent = ana.send(connection, to=[INES])
    ana.email_when(sent["id"], "sent")


def test_a_thread_with_somebody_whose_mail_comes_back_names_them(ana: Person, connection: str) -> None:
    put(ana, INES, "hard_bounce")
    found = gate(ana, connection, [TOM], cc=[INES])
    assert not found["ok"]
    assert INES in found["sentence"]
    assert TOM not in found["sentence"]
    assert "Without them, it can go to the others." in found["sentence"]


def test_a_sentence_that_begins_with_an_address_leaves_it_as_it_is(ana: Person, connection: str) -> None:
    put(ana, TOM, "asked")
    assert gate(ana, connection, [TOM])["sentence"].startswith(f"{TOM} unsubscribed on")


def test_copies_to_many_leave_them_out_and_say_so_before(ana: Person, connection: str) -> None:
    put(ana, INES, "asked")
    put(ana, EVE, "hard_bounce")
    people = [f"Ines Moreau <{INES}>", TOM, EVE, "bob@globex.example"]
    found = gate(ana, connection, people, separate_copies=True)
    assert (found["ok"], found["cause"], found["ready"]) == (True, "recipient_suppressed", True)
    assert found["sentence"].startswith("2 people are left out of 4: ")
    assert f"Ines Moreau <{INES}> (unsubscribed on" in found["sentence"]
    assert f"{EVE} (mail came back on" in found["sentence"]
    sent = ana.email_when(ana.send(connection, to=people, separate_copies=True)["id"], "sent")
    assert recipients(sent) == [TOM, "bob@globex.example"]
    page = ana.get(f"/emails/{sent['id']}").text
    assert "2 people were left out" in page
    assert INES in page


def test_who_was_left_out_is_noted_anew_once_it_was_edited(ana: Person, connection: str) -> None:
    put(ana, INES, "asked")
    waits = ana.send(connection, to=[INES, TOM, EVE], separate_copies=True, send_at="2031-01-01T09:00:00Z")
    assert "One person was left out" in ana.get(f"/emails/{waits['id']}").text
    assert ana.api("POST", f"emails/{waits['id']}/edit").status_code == 200
    put(ana, EVE, "asked")
    fields = {
        "to": f"{TOM}, {EVE}, bob@globex.example", "subject": "s", "html": "<p>x</p>", "connection": connection,
        "separate_copies": "on", "action": "send",
    }  # fmt: skip
    page = ana.post(f"/emails/drafts/{waits['id']}/send", fields)
    assert page.url.endswith(f"/emails/{waits['id']}")
    assert "One person was left out" in page.text
    assert INES not in page.text


def test_copies_that_would_leave_out_everybody_are_not_sent(ana: Person, connection: str) -> None:
    put(ana, INES, "asked")
    put(ana, TOM, "imported")
    found = gate(ana, connection, [INES, TOM], separate_copies=True)
    assert (found["ok"], found["ready"]) == (False, False)
    assert found["sentence"].startswith("Everybody in it is on the suppression list: ")


def test_who_asks_meanwhile_gets_no_copy_and_the_others_do(ana: Person, connection: str) -> None:
    sent = ana.send(connection, to=[INES, TOM, EVE], separate_copies=True, undo_seconds=3)
    put(ana, TOM, "asked")
    found = ana.email_when(sent["id"], "partly")
    states = {copy["recipients"][0]["address"]: copy["status"] for copy in found["deliveries"]}
    assert states == {INES: "accepted", TOM: "cancelled", EVE: "accepted"}
    assert [copy["attempts"] for copy in found["deliveries"] if copy["status"] == "cancelled"] == [[]]
    page = ana.get(f"/emails/{sent['id']}").text
    assert "One person was left out" in page
    assert "unsubscribed on" in page
    assert "Edit the email to write to" not in page  # nothing for the member to do
    # The copies that left went once.
    for address in (INES, EVE):
        assert len(ana.stack.sandbox.messages(to=address, delivery=delivery(found, address))) == 1


def delivery(email: dict[str, Any], address: str) -> str:
    (found,) = [c["id"] for c in email["deliveries"] if c["recipients"][0]["address"] == address]
    return str(found)


def test_a_single_mail_whose_address_bounces_meanwhile_waits_for_a_person(
    ana: Person, connection: str
) -> None:
    sent = ana.send(connection, to=[INES], undo_seconds=3)
    put(ana, INES, "hard_bounce")
    held = ana.email_when(sent["id"], "held")
    assert held["problem"] == "recipient_suppressed"
    detail = held["problem_detail"]
    assert detail["sentence"].startswith(
        "Nothing was sent. A recipient is on your organization's suppression list."
    )
    assert detail["fix"] == {"label": "Allow again", "url": "/settings/suppression"}
    assert ana.api("POST", f"emails/{sent['id']}/release").json()["cause"] == "recipient_suppressed"
    assert ana.api("DELETE", f"suppressions/{INES}").json() == {"ended": 1}
    assert ana.api("GET", f"emails/{sent['id']}").json()["problem_detail"]["fix"]["label"] == "Send now"
    assert ana.api("POST", f"emails/{sent['id']}/release").status_code == 200
    ana.email_when(sent["id"], "sent")


def test_undone_in_time_it_left_out_nobody(ana: Person, connection: str) -> None:
    put(ana, INES, "asked")
    sent = ana.send(connection, to=[INES, TOM], separate_copies=True, undo_seconds=60)
    assert ana.api("POST", f"emails/{sent['id']}/undo").json()["status"] == "draft"
    assert ana.api("DELETE", f"suppressions/{INES}?confirm=true").json() == {"ended": 1}
    page = ana.get(f"/emails/new?draft={sent['id']}").text
    assert INES in page


def test_gates_panel_warns_and_leads_back(ana: Person, connection: str, stack: Stack) -> None:
    put(ana, INES, "asked")
    user = stack.member_of(ana)
    draft = "7b1f4a6e-2f0e-4a52-9b6e-0f5f6a6c1d01"
    fields = {"to": INES, "cc": "", "bcc": "", "subject": "x", "text": "x", "connection": connection}
    assert ana.post(f"/emails/drafts/{draft}/send", {**fields, "action": "save"}).status_code == 200
    panel = ana.get(f"/emails/drafts/{draft}/gates").text
    assert 'data-cause="recipient_suppressed"' in panel
    assert '/allow"' in panel
    assert f'value="/emails/new?draft={draft}"' in panel
    assert user.get("/settings/suppression").status_code == 200


def test_a_user_reads_and_does_not_change(ana: Person, stack: Stack, connection: str) -> None:
    put(ana, INES, "hard_bounce")
    user = stack.member_of(ana)
    assert [one["address"] for one in user.api("GET", "suppressions").json()["items"]] == [INES]
    for answer in (
        user.api("POST", "suppressions", {"address": TOM}),
        user.api("DELETE", f"suppressions/{INES}"),
    ):
        assert answer.status_code == 403
        assert [one["email"] for one in answer.json()["who"]] == [ana.email]
    found = until(lambda: gate(user, connection, [INES]), lambda one: not one["ok"], 5)
    assert [one["email"] for one in found["who"]] == [ana.email]
