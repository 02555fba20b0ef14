"""Going on with a conversation: from an email's page and by the API, at every provider, and where it cannot be."""

from __future__ import annotations

import email as emails
import email.policy
import html
import re
import sqlite3
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from tests.stack import Person, Stack, until

READING = "capabilities=send,read&kind=personal"


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def parsed(stack: Stack, delivery: str) -> Any:
    (message,) = stack.sandbox.messages(delivery=delivery)
    assert message["count"] == 1
    return emails.message_from_string(message["raw"], policy=emails.policy.default)


def delivery(sent: dict[str, Any]) -> str:
    return str(sent["deliveries"][0]["id"])


def reply(person: Person, email_id: str, **fields: str) -> str:
    """Press Reply; the draft's id."""
    answer = person.post(f"/emails/{email_id}/reply", fields, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["Location"]).query)["draft"][0]


def fields_of(page: str) -> dict[str, str]:
    """What the form of a Compose page holds."""
    found = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    body = re.search(r'id="editor" class="editor" data-html="([^"]*)"', page)
    assert body
    chosen = re.search(r'<option value="([0-9a-f-]{36})"[^>]* selected', page)
    return {
        **{name: found[name] for name in ("to", "cc", "bcc", "subject", "revision")},
        "html": html.unescape(body[1]),
        "connection": chosen[1] if chosen else "",
    }


def send(person: Person, draft: str, **changed: str) -> dict[str, Any]:
    """Send a draft as the page does; the email once it was sent."""
    fields = fields_of(person.get(f"/emails/new?draft={draft}").text)
    answer = person.post(
        f"/emails/drafts/{draft}/send", {"action": "send", **fields, **changed}, allow_redirects=False
    )
    assert answer.status_code == 302, answer.text
    person.stack.sandbox.advance(11)  # the time to undo
    return person.email_when(draft, "sent")


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_an_answer_stands_in_the_conversation(stack: Stack, ana: Person, provider: str) -> None:
    connection = ana.connect(query=READING, provider=provider)["id"]
    first = ana.email_when(
        ana.send(connection, to=["Ines Moreau <ines@globex.example>"], cc=["tom@initech.example"])["id"],
        "sent",
    )
    original = parsed(stack, delivery(first))
    draft = until_known(ana, first["id"])
    page = ana.get(f"/emails/new?draft={draft}").text
    fields = fields_of(page)
    assert (fields["to"], fields["cc"], fields["subject"]) == (
        "Ines Moreau <ines@globex.example>",
        "tom@initech.example",
        "Re: Proposal",
    )
    assert "wrote:</p><blockquote>" in fields["html"]
    assert "In the conversation of" in page
    assert reply(ana, first["id"]) == draft  # pressed twice
    second = send(ana, draft, html=f"<p>One more thing.</p>{fields['html']}")
    answer = parsed(stack, delivery(second))
    assert answer["In-Reply-To"] == original["Message-ID"]
    assert answer["References"] == original["Message-ID"]
    assert second["reply_to_email"] == first["id"]
    # One pixel, and of the quote's links none that leads to another one of ours.
    assert answer.get_body(("html",)).get_content().count("/t/o/") == 1
    # Answered again, all of them are named.
    third = send(ana, until_known(ana, second["id"]))
    again = parsed(stack, delivery(third))
    assert again["References"].split() == [original["Message-ID"], answer["Message-ID"]]
    assert again["In-Reply-To"] == answer["Message-ID"]
    assert len(set(threads_of(stack, ana, provider))) == 1
    assert "Goes on from" in ana.get(f"/emails/{second['id']}").text
    assert "You wrote again" in ana.get(f"/emails/{first['id']}").text


def until_known(person: Person, email_id: str) -> str:
    """Reply, once the page of the answer says nothing of a conversation that cannot be gone on with."""
    draft = reply(person, email_id)
    until(
        lambda: person.get(f"/emails/new?draft={draft}").text,
        lambda page: "goes as an email of its own" not in page,
        10,
    )
    return draft


def threads_of(stack: Stack, person: Person, provider: str) -> list[str]:
    """The conversations of everything in a mailbox's Sent, as the provider has them."""
    column, table = {
        "google": ("thread_id", "gmail_messages"),
        "microsoft": ("conversation", "microsoft_messages"),
    }[provider]
    path = next(stack.up.data.rglob("state.sqlite3"))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        found = store.execute(
            f"SELECT {column} FROM {table} WHERE account_id ="
            " (SELECT id FROM accounts WHERE provider = ? AND email = ?)",
            [provider, person.email],
        ).fetchall()
    store.close()
    return [row[0] for row in found]


def test_the_same_by_the_api(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    first = ana.email_when(ana.send(connection)["id"], "sent")
    until_known(ana, first["id"])
    second = ana.send(connection, subject="Re: Proposal", reply_to_email=first["id"])
    assert second["reply_to_email"] == first["id"]
    ana.email_when(second["id"], "sent")
    original = parsed(stack, delivery(first))
    assert parsed(stack, delivery(second))["In-Reply-To"] == original["Message-ID"]
    assert len(set(threads_of(stack, ana, "google"))) == 1


def test_a_conversation_that_was_deleted_does_not_stop_the_answer(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    first = ana.email_when(ana.send(connection)["id"], "sent")
    until_known(ana, first["id"])
    reasons = [{"message": "Requested entity was not found.", "domain": "global", "reason": "notFound"}]
    body = {"error": {"code": 404, "message": "Requested entity was not found.", "errors": reasons}}
    stack.sandbox.fault("send", "status", account=ana.email, status=404, body=body, times=1)
    second = ana.send(connection, subject="Re: Proposal", reply_to_email=first["id"])
    done = ana.email_when(second["id"], "sent")
    assert [one["outcome"] for one in done["deliveries"][0]["attempts"]] == ["NOT_SENT", "ACCEPTED"]
    assert parsed(stack, delivery(done))["In-Reply-To"] == parsed(stack, delivery(first))["Message-ID"]
    # Whatever else is not found is refused as before, once.
    stack.sandbox.fault("send", "status", account=ana.email, status=404, body=body)
    other = ana.send(connection)
    assert ana.email_when(other["id"], "failed")["problem"] == "not_found"


def test_what_cannot_be_read_goes_on_its_own_and_says_so(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    first = ana.email_when(ana.send(connection)["id"], "sent")
    draft = reply(ana, first["id"])
    page = ana.get(f"/emails/new?draft={draft}").text
    assert "goes as an email of its own" in page
    assert f"/connections/{connection}/read" in page
    assert parsed(stack, delivery(send(ana, draft)))["In-Reply-To"] is None


def test_keap_keeps_no_conversations(stack: Stack, ana: Person) -> None:
    connection = ana.connect(provider="keap")["id"]
    first = ana.email_when(ana.send(connection)["id"], "sent")
    draft = reply(ana, first["id"])
    assert "Keap keeps no conversations" in ana.get(f"/emails/new?draft={draft}").text
    assert send(ana, draft)["status"] == "sent"


def test_another_conversation_is_begun_by_a_button(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    first = ana.email_when(ana.send(connection)["id"], "sent")
    draft = until_known(ana, first["id"])
    fields = fields_of(ana.get(f"/emails/new?draft={draft}").text)
    page = ana.post(f"/emails/drafts/{draft}/send", {"action": "unthread", **fields}).text
    assert "In the conversation of" not in page
    assert fields_of(page)["html"] == fields["html"]
    second = send(ana, draft)
    assert second["reply_to_email"] is None
    assert parsed(stack, delivery(second))["In-Reply-To"] is None


def test_separate_copies_have_conversations_of_their_own(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    to = ["ines@globex.example", "tom@initech.example"]
    first = ana.email_when(ana.send(connection, to=to, separate_copies=True)["id"], "sent")
    assert ">Reply</button>" in ana.get(f"/emails/{first['id']}").text
    unnamed = ana.post(f"/emails/{first['id']}/reply", allow_redirects=False)
    assert unnamed.headers["Location"].endswith("/copies")
    toms = next(
        one["id"] for one in first["deliveries"] if one["recipients"][0]["address"] == "tom@initech.example"
    )
    draft = reply(ana, first["id"], copy=toms)
    assert fields_of(ana.get(f"/emails/new?draft={draft}").text)["to"] == "tom@initech.example"
    body = {
        "connection": connection,
        "subject": "Re: Proposal",
        "html": "<p>x</p>",
        "reply_to_email": first["id"],
    }
    ambiguous = ana.api("POST", "emails", {**body, "to": ["eve@else.example"]})
    assert (ambiguous.status_code, ambiguous.json()["code"]) == (409, "reply_ambiguous")
    assert ambiguous.json()["fix"]["url"] == f"/emails/{first['id']}"
    sent = ana.email_when(
        ana.api("POST", "emails", {**body, "to": ["Tom <tom@initech.example>"]}).json()["id"], "sent"
    )
    assert sent["reply_to_email"] == first["id"]


def test_blind_recipients_are_not_shown_by_an_answer(ana: Person) -> None:
    connection = ana.connect()["id"]
    mixed = ana.email_when(ana.send(connection, bcc=["boss@northwind.example"])["id"], "sent")
    fields = fields_of(ana.get(f"/emails/new?draft={reply(ana, mixed['id'])}").text)
    assert (fields["cc"], fields["bcc"]) == ("", "")
    blind = ["a@globex.example", "b@globex.example"]
    hidden = ana.email_when(ana.send(connection, to=[], bcc=blind)["id"], "sent")
    fields = fields_of(ana.get(f"/emails/new?draft={reply(ana, hidden['id'])}").text)
    assert (fields["to"], fields["bcc"]) == ("", ", ".join(blind))


def test_nothing_to_answer_and_nobody_elses(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    waits = ana.send(connection, undo_seconds=3000)
    body = {"connection": connection, "to": ["a@b.example"], "subject": "x", "html": "<p>x</p>"}
    early = ana.api("POST", "emails", {**body, "reply_to_email": waits["id"]})
    assert (early.status_code, early.json()["code"]) == (409, "reply_to_nothing")
    back = ana.post(f"/emails/{waits['id']}/reply", allow_redirects=False)
    assert back.headers["Location"] == f"/emails/{waits['id']}"
    eve = stack.person("eve", "Elsewhere")
    for wanted in (waits["id"], str(uuid4())):
        foreign = eve.api("POST", "emails", {**body, "reply_to_email": wanted})
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    wrong = ana.api("POST", "readiness", {**body, "reply_to_email": "seven"})
    assert wrong.status_code == 422
