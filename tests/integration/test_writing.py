"""Templates, snippets and signatures as their members meet them."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
import requests
from tests.stack import Person, Stack, hidden


@pytest.fixture
def ana(stack: Stack) -> Person:
    """The owner of an organization of her own."""
    return stack.person(organization=f"Writing {uuid4()}")


def make(person: Person, name: str, kind: str = "template", **fields: str) -> str:
    """A template; its id."""
    body = {"kind": kind, "name": name, "subject": "Hello", "html": f"<p>{name}</p>", **fields}
    answer = person.post(f"/templates/new?kind={kind}", body)
    assert answer.status_code == 200, answer.text
    return str(next(one["id"] for one in listed(person) if one["name"] == name))


def listed(person: Person, query: str = "") -> list[dict[str, Any]]:
    answer = person.api("GET", f"templates{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def change(person: Person, template: str, **fields: str) -> requests.Response:
    page = person.get(f"/templates/{template}").text
    return person.post(f"/templates/{template}", {"revision": hidden(page, "revision"), **fields})


def test_made_found_and_changed(ana: Person) -> None:
    first = make(ana, "Price list", html="<p>Our <strong>prices</strong></p>")
    make(ana, "Thanks", kind="snippet", subject="")
    assert [one["name"] for one in listed(ana)] == ["Price list", "Thanks"]
    assert [one["name"] for one in listed(ana, "?q=prices")] == ["Price list"]
    assert "Thanks" not in ana.get("/templates?q=price").text
    assert "Nothing found" in ana.get("/templates?q=nobody").text
    assert "Price list" not in ana.get("/templates?kind=snippet").text
    saved = change(ana, first, name="  Prices   2027 ", subject="New prices", html="<p>x</p>")
    assert "“Prices 2027” is saved." in saved.text
    (one, _) = listed(ana)
    assert (one["name"], one["subject"], one["html"], one["shared"]) == (
        "Prices 2027",
        "New prices",
        "<p>x</p>",
        False,
    )
    # Without scripts the text is plain.
    change(ana, first, name="Plain", text="One\n\nhttps://example.com")
    assert 'href="https://example.com"' in listed(ana)[0]["html"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "Give it a name"),
        ({"name": "x" * 121}, "may have 120 characters"),
        ({"subject": "a\nb"}, "line break"),
        ({"html": "x" * 600_000}, "too long"),
        ({"html": "a\x00b"}, "cannot be stored"),
    ],
    ids=range(5),
)
def test_what_cannot_be_kept_is_said_and_nothing_typed_is_lost(
    ana: Person, fields: dict[str, str], words: str
) -> None:
    body = {"kind": "template", "name": "Mine", "subject": "Kept words", "html": "<p>y</p>", **fields}
    answer = ana.post("/templates/new?kind=template", body)
    assert answer.status_code == 400
    assert words in answer.text
    assert "subject" in fields or "Kept words" in answer.text
    assert listed(ana) == []


def test_two_who_write_one_lose_nothing(stack: Stack, ana: Person) -> None:
    template = make(ana, "Shared one", shared="on")
    tom = stack.member_of(ana, "manager")
    page = ana.get(f"/templates/{template}").text
    assert change(tom, template, name="Shared one", html="<p>Tom</p>", shared="on").status_code == 200
    late = ana.post(
        f"/templates/{template}",
        {"revision": hidden(page, "revision"), "name": "Shared one", "html": "<p>Ana</p>", "shared": "on"},
    )
    assert late.status_code == 409
    assert "changed meanwhile" in late.text
    assert "&lt;p&gt;Ana&lt;/p&gt;" in late.text
    assert listed(ana)[0]["html"] == "<p>Tom</p>"


def test_shared_ones_are_used_by_all_and_written_by_managers(stack: Stack, ana: Person) -> None:
    shared, own = make(ana, "For all", shared="on"), make(ana, "For me")
    user = stack.member_of(ana, "user")
    assert [(one["name"], one["shared"]) for one in listed(user)] == [("For all", True)]
    assert user.get(f"/templates/{own}").status_code == 404
    page = user.get(f"/templates/{shared}").text
    assert "owners and managers write it" in page
    assert ">Save</button>" not in page
    for path, body in ((shared, {"name": "x"}), (f"{shared}/delete", {})):
        refused = user.post(f"/templates/{path}", body)
        assert refused.status_code == 403
        assert ana.email in refused.text  # who can
    # What a user calls shared is their own.
    make(user, "Mine", shared="on")
    assert [one["name"] for one in listed(ana)] == ["For all", "For me"]
    copied = user.post(f"/templates/{shared}/duplicate", allow_redirects=False)
    copy = copied.headers["Location"].rpartition("/")[2]
    assert change(user, copy, name="For all, mine", html="<p>z</p>").status_code == 200
    assert sorted(one["name"] for one in listed(user)) == ["For all", "For all, mine", "Mine"]


def test_deleted_and_brought_back(stack: Stack, ana: Person) -> None:
    template = make(ana, "Old")
    page = ana.post(f"/templates/{template}/delete").text
    assert "“Old” is deleted." in page
    assert listed(ana) == []
    assert ana.get(f"/templates/{template}").status_code == 404
    assert "“Old” is back." in ana.post(f"/templates/{template}/restore").text
    assert [one["name"] for one in listed(ana)] == ["Old"]
    ana.post(f"/templates/{template}/delete")
    eve = stack.person("eve", "Elsewhere")
    assert eve.post(f"/templates/{template}/restore").status_code == 404
    stack.sandbox.advance(90_000)
    ana.post(f"/templates/{template}/restore")
    assert listed(ana) == []


def test_a_draft_is_kept_as_a_template(ana: Person) -> None:
    draft = str(uuid4())
    body = '<p>Hello</p><p><img src="cid:x"></p><div class="truesend-signature"><p>Ana</p></div>'
    fields = {
        "to": "a@b.example",
        "subject": "Offer",
        "html": body,
        "action": "template",
        "template_name": "",
    }
    answer = ana.post(f"/emails/drafts/{draft}/send", fields)
    assert "Kept as the template “Offer”. Its pictures stay with this email." in answer.text
    assert answer.url.endswith(f"?draft={draft}")
    (one,) = listed(ana)
    assert (one["subject"], one["html"]) == ("Offer", "<p>Hello</p><p></p>")
    assert [one["name"] for one in ana.get("/templates/choices?q=offer").json()["items"]] == ["Offer"]
    # The draft is as it was.
    assert ana.get(f"/emails/new?draft={draft}").text.count("a@b.example") >= 1


def test_odd_merge_fields_are_told_of(ana: Person) -> None:
    template = make(ana, "Odd", html="<p>Dear {{first name|there}}, {{}} and {{first_name|there}}</p>")
    assert "note-warn" in ana.get(f"/templates/{template}").text
    fine = make(ana, "Fine", html="<p>Dear {{first_name|there}}</p>")
    assert "note-warn" not in ana.get(f"/templates/{fine}").text


def test_pages_of_the_api(ana: Person) -> None:
    for number in range(52):
        body = {"kind": "snippet", "name": f"N{number:02}", "html": "<p>x</p>"}
        assert ana.post("/templates/new?kind=snippet", body, allow_redirects=False).status_code == 302
    first = ana.api("GET", "templates").json()
    rest = ana.api("GET", f"templates?cursor={first['next']}").json()
    assert [one["name"] for one in first["items"] + rest["items"]] == [
        f"N{number:02}" for number in range(52)
    ]
    assert rest["next"] is None
    assert ana.api("GET", "templates?cursor=x").status_code == 404


def test_a_signature_stands_in_a_new_email_and_once_in_an_answer(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    assert "None yet." in ana.get("/templates").text
    saved = ana.post(f"/templates/signatures/{connection}", {"html": "<p>Ana Ruiz</p><p>Northwind</p>"})
    assert "is saved" in saved.text
    page = ana.get("/emails/new").text
    block = "&lt;div class=&quot;truesend-signature&quot;&gt;&lt;p&gt;Ana Ruiz"
    assert page.count(block) == 1
    # A signature alone is nothing to send.
    assert 'data-cause="content_missing"' in page
    html = '<p>Hello</p><div class="truesend-signature"><p>Ana Ruiz</p><p>Northwind</p></div>'
    sent = ana.email_when(ana.send(connection, html=html)["id"], "sent")
    answer = ana.post(f"/emails/{sent['id']}/reply")
    assert answer.text.count(block) == 1
    assert re.search(r"truesend-signature.*blockquote", answer.text)
    # What is sent is byte for byte what stands there, but for its pixel.
    (message,) = stack.sandbox.messages(delivery=sent["deliveries"][0]["id"])
    assert message["count"] == 1
    # A colleague's is their own, of a shared account too; without words there is none.
    ana.post(f"/templates/signatures/{connection}", {"html": ""})
    assert "truesend-signature" not in ana.get("/emails/new").text
    shared = ana.connect(f"shared-{ana.email}", "capabilities=send&kind=organization")["id"]
    tom = stack.member_of(ana, "user")
    tom.post(f"/templates/signatures/{shared}", {"text": "Tom"})
    assert "truesend-signature" in tom.get("/emails/new").text
    assert "Tom" not in ana.get(f"/templates/signatures/{shared}").text
    assert tom.post(f"/templates/signatures/{shared}", {"html": "x" * 30_000}).status_code == 400
