"""Microsoft through the whole stack: consent, a send with and without a draft, and what a lost answer comes to."""

from __future__ import annotations

import email
from typing import Any

import pytest
from tests.connections import when
from tests.stack import Person, Stack

BOTH = "capabilities=send,read&kind=personal"


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def connect(person: Person, query: str = "capabilities=send&kind=personal", **consent: Any) -> dict[str, Any]:
    return person.connect(query=query, provider="microsoft", **consent)


def operations(person: Person) -> list[str]:
    calls = person.stack.sandbox.calls(provider="microsoft", account=person.email)
    return [str(call["operation"]) for call in calls]


@pytest.mark.parametrize("query", ["capabilities=send&kind=personal", BOTH], ids=["send only", "reading"])
def test_connected_and_sent(ana: Person, query: str) -> None:
    connection = connect(ana, query)
    assert (connection["provider"], connection["address"]) == ("microsoft", ana.email)
    made = ana.send(connection["id"])
    sent = ana.email_when(made["id"], "sent")
    delivery = sent["deliveries"][0]["id"]
    (arrived,) = ana.stack.sandbox.messages(delivery=delivery)
    assert (arrived["count"], arrived["provider"]) == (1, "microsoft")
    assert email.message_from_string(arrived["raw"])["X-Truesend-Delivery"] == delivery
    found = when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert found["verdict"] == "working", found
    done = operations(ana)
    assert ("drafts.send" in done) == ("read" in query)
    assert ("send" in done) == ("read" not in query)
