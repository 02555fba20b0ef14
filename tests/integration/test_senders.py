"""Sending from another address of a mailbox: read from its provider, verified at each send, never just replaced."""

from __future__ import annotations

import email as emails
import email.policy
from typing import Any
from uuid import uuid4

import pytest
from tests.stack import Person, Stack, until

READING = "capabilities=send,read&kind=personal"
OTHER, PENDING = "sales@northwind.example", "new@northwind.example"


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def allow(person: Person, *aliases: dict[str, Any]) -> None:
    body = {"provider": "google", "email": person.email, "name": "Ana Ruiz", "send_as": list(aliases)}
    person.stack.sandbox.control("POST", "accounts", body)


def connect(person: Person, query: str = READING) -> str:
    found = person.connect(query=query)["id"]
    allow(person, {"email": OTHER, "name": "Northwind Sales"}, {"email": PENDING, "verified": False})
    return str(found)


def draft(connection: str, sender: str, **more: Any) -> dict[str, Any]:
    to = ["ines@globex.example"]
    return {"connection": connection, "to": to, "subject": "Hi", "html": "<p>Hi</p>", "from": sender, **more}


def shut(person: Person, body: dict[str, Any]) -> dict[str, Any]:
    gates = person.api("POST", "readiness", body).json()["gates"]
    (found,) = [one for one in gates if not one["ok"]]
    assert found["name"] == "limits"
    return dict(found)


def from_of(stack: Stack, sent: dict[str, Any]) -> str:
    (message,) = stack.sandbox.messages(delivery=sent["deliveries"][0]["id"])
    return str(emails.message_from_string(message["raw"], policy=emails.policy.default)["From"])


def test_a_verified_address_is_sent_from(stack: Stack, ana: Person) -> None:
    connection = connect(ana)
    made = ana.api("POST", "emails", draft(connection, OTHER.upper()))
    assert made.status_code == 201, made.text
    sent = ana.email_when(made.json()["id"], "sent")
    assert from_of(stack, sent) == f"Northwind Sales <{OTHER}>"
    own = ana.api("POST", "emails", draft(connection, ana.email)).json()
    assert ana.email in from_of(stack, ana.email_when(own["id"], "sent"))


def test_what_is_not_verified_or_not_there_is_refused(ana: Person) -> None:
    connection = connect(ana)
    for wrong in (PENDING, "boss@else.example"):
        gate = shut(ana, draft(connection, wrong))
        assert gate["cause"] == "sender_gone"
        assert wrong in gate["sentence"]
    assert ana.api("POST", "emails", draft(connection, PENDING)).status_code == 409


@pytest.mark.produces("sender_gone")
def test_an_address_that_is_gone_holds_the_email(stack: Stack, ana: Person) -> None:
    connection = connect(ana)
    made = ana.api("POST", "emails", draft(connection, OTHER, undo_seconds=120)).json()
    allow(ana)  # no other address any more
    stack.sandbox.advance(121)
    held = ana.email_when(made["id"], "held")
    assert held["problem"] == "sender_gone"
    assert "does not let this account send" in ana.get(f"/emails/{made['id']}").text
    assert stack.sandbox.messages(delivery=held["deliveries"][0]["id"]) == []
    assert "does not let this account send from the chosen address" in held["problem_detail"]["sentence"]
    allow(ana, {"email": OTHER, "name": "Northwind Sales"})
    stack.sandbox.advance(1000)
    until(lambda: ana.get(f"/connections/{connection}/senders").json()["senders"], bool, 10)
    assert ana.api("POST", f"emails/{made['id']}/release").status_code == 200
    assert OTHER in from_of(stack, ana.email_when(made["id"], "sent"))


def test_a_list_that_cannot_be_read_now_delays_and_replaces_nothing(stack: Stack, ana: Person) -> None:
    connection = connect(ana)
    made = ana.api("POST", "emails", draft(connection, OTHER, undo_seconds=120)).json()
    fault = stack.sandbox.fault("sendAs.list", "outage", account=ana.email)
    stack.sandbox.advance(121)
    waiting = until(
        lambda: ana.api("GET", f"emails/{made['id']}").json(),
        lambda one: one["problem"] == "provider_error",
        20,
    )
    assert waiting["deliveries"][0]["attempts"] == []
    stack.sandbox.control("DELETE", f"faults/{fault}")
    stack.sandbox.advance(1000)
    assert OTHER in from_of(stack, ana.email_when(made["id"], "sent"))


@pytest.mark.produces("sender_needs_reading", says=f"may send from {OTHER} is read from the mailbox")
def test_without_reading_it_says_what_would_help(ana: Person) -> None:
    connection = connect(ana, "capabilities=send&kind=personal")
    gate = shut(ana, draft(connection, OTHER))
    assert (gate["cause"], gate["fix"]["label"]) == ("sender_needs_reading", "Allow reading")
    fields = {
        "connection": f"{connection}/{OTHER}",
        "to": "ines@globex.example",
        "subject": "Hi",
        "html": "<p>Hi</p>",
    }
    page = ana.post(f"/emails/drafts/{uuid4()}/send", {"action": "save", **fields}).text
    assert f"/connections/{connection}/read" in page


@pytest.mark.parametrize("provider", ["microsoft", "keap"])
def test_where_there_is_no_such_list(ana: Person, provider: str) -> None:
    connection = ana.connect(provider=provider, query=READING)["id"]
    gate = shut(ana, draft(connection, OTHER))
    assert gate["cause"] == "sender_refused"
    assert ana.get(f"/connections/{connection}/senders").json() == {"senders": []}


def test_compose_offers_them(stack: Stack, ana: Person) -> None:
    connection = connect(ana)
    page = ana.get("/emails/new").text
    assert f'data-senders="/connections/{connection}/senders"' in page  # asked for while one writes
    (option,) = ana.get(f"/connections/{connection}/senders").json()["senders"]
    assert option == {"value": f"{connection}/{OTHER}", "label": f"{OTHER} (by {ana.email})"}
    page = ana.get("/emails/new").text
    assert "data-senders" not in page
    assert f'value="{connection}/{OTHER}"' in page
    written = str(uuid4())
    fields = {
        "connection": option["value"],
        "to": "ines@globex.example",
        "subject": "Hi",
        "html": "<p>Hi</p>",
    }
    saved = ana.post(f"/emails/drafts/{written}/send", {"action": "save", **fields}).text
    assert f'value="{connection}/{OTHER}" data-most="500" selected' in saved
    assert OTHER in ana.get(f"/emails/drafts/{written}/preview").text
    ana.post(f"/emails/drafts/{written}/send", {"action": "send", **fields})
    stack.sandbox.advance(11)
    sent = ana.email_when(written, "sent")
    assert OTHER in from_of(stack, sent)
    # An answer goes from there too.
    answer = ana.post(f"/emails/{written}/reply").text
    assert f'value="{connection}/{OTHER}" data-most="500" selected' in answer
    for wrong in ("x", f"{connection}/nobody", f"{connection}/a\nb@c.example"):
        assert ana.post(f"/emails/drafts/{uuid4()}/send", {**fields, "connection": wrong}).status_code == 400
