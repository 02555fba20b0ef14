"""What tries that sent nothing have left in a mailbox goes once their email has ended, whatever it ended as."""

from __future__ import annotations

from typing import Any

import pytest
from tests.accounts import sql
from tests.stack import Person, Stack, until
from tests.storms.leftovers import in_outlook

READING = "capabilities=send,read&kind=personal"
# The quiet time is two minutes, the first pause after a failure five.
QUIET, PAUSE = 130, 320


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


@pytest.fixture
def mailbox(ana: Person) -> str:
    """Asked after its consent already: a probe that comes late would meet a test's fault, and shut its gate."""
    connection = str(ana.connect(query=READING, provider="microsoft")["id"])
    # The last of a probe's calls.
    asked = {"operation": "drafts.send.check", "account": ana.email}
    until(lambda: ana.stack.sandbox.calls(**asked), bool, 30)
    return connection


def drafts(ana: Person) -> list[str]:
    return in_outlook(ana.stack.sandbox, ana.email)


def fault(ana: Person, operation: str, kind: str, **more: Any) -> str:
    return ana.stack.sandbox.fault(operation, kind, "microsoft", account=ana.email, **more)


def is_cleared(ana: Person, email: dict[str, Any]) -> bool:
    query = "SELECT count(*) FROM sending_delivery WHERE email_id = %s AND clear_at IS NOT NULL"
    return sql(ana.stack, query, email["id"]) == [(0,)]


def refused(ana: Person, mailbox: str) -> dict[str, Any]:
    """An email that ended with its draft still there."""
    body = {"error": {"code": "ErrorInvalidRecipients", "message": "At least one recipient isn't valid."}}
    fault(ana, "drafts.send", "status", status=400, body=body, times=1)
    made = ana.send(mailbox, subject="Refused")
    ana.email_when(made["id"], "failed")
    return made


def test_after_a_refusal_its_draft_goes(ana: Person, mailbox: str) -> None:
    made = refused(ana, mailbox)
    assert drafts(ana) == ["Refused"]
    assert not is_cleared(ana, made)
    ana.stack.sandbox.advance(QUIET)
    until(lambda: is_cleared(ana, made), bool, 20)
    assert drafts(ana) == []


def test_after_a_cancel_its_draft_goes_and_another_email_is_sent(ana: Person, mailbox: str) -> None:
    limit = fault(ana, "drafts.send", "daily_limit", times=1)
    made = ana.send(mailbox, subject="Cancelled")
    ana.email_when(made["id"], "held")
    assert drafts(ana) == ["Cancelled"]
    ana.stack.sandbox.advance(QUIET)
    # It still waits: its next try would clear up itself.
    ana.stack.sandbox.control("DELETE", f"faults/{limit}")
    assert ana.api("POST", f"emails/{made['id']}/cancel").ok
    until(lambda: is_cleared(ana, made), bool, 20)
    assert drafts(ana) == []


def test_a_draft_whose_answer_was_lost_goes_when_its_email_was_sent(ana: Person, mailbox: str) -> None:
    """The list that the next try looks through does not show it yet."""
    ana.stack.sandbox.switch("microsoft", listing_delay=60.0)
    fault(ana, "drafts.create", "lost_answer", times=1)
    made = ana.send(mailbox, subject="Lost")
    ana.email_when(made["id"], "sent", 30)
    ana.stack.sandbox.switch("microsoft", listing_delay=None)
    ana.stack.sandbox.advance(70)
    assert drafts(ana) == ["Lost"]
    ana.stack.sandbox.advance(QUIET)
    until(lambda: is_cleared(ana, made), bool, 20)
    assert drafts(ana) == []
    (arrived,) = ana.stack.sandbox.messages(to="ines@globex.example", delivery=_delivery(ana, made))
    assert arrived["count"] == 1


def test_a_mailbox_that_takes_nothing_away_is_asked_again_later(ana: Person, mailbox: str) -> None:
    made = refused(ana, mailbox)
    outage = fault(ana, "drafts.get", "outage")
    ana.stack.sandbox.advance(QUIET)
    shown = until(lambda: ana.connection(mailbox), lambda one: one["verdict"] == "attention", 20)
    assert shown["cause"] == "provider_error"
    assert not is_cleared(ana, made)
    ana.stack.sandbox.control("DELETE", f"faults/{outage}")
    ana.stack.sandbox.advance(PAUSE)
    until(lambda: is_cleared(ana, made), bool, 20)
    assert drafts(ana) == []


def test_of_a_disconnected_mailbox_nothing_is_asked_any_more(ana: Person, mailbox: str) -> None:
    made = refused(ana, mailbox)
    assert ana.api("POST", f"connections/{mailbox}/disconnect").ok
    calls = len(ana.stack.sandbox.calls(provider="microsoft", account=ana.email))
    ana.stack.sandbox.advance(QUIET)
    until(lambda: is_cleared(ana, made), bool, 20)
    assert len(ana.stack.sandbox.calls(provider="microsoft", account=ana.email)) == calls


def _delivery(ana: Person, email: dict[str, Any]) -> str:
    return str(ana.api("GET", f"emails/{email['id']}").json()["deliveries"][0]["id"])
