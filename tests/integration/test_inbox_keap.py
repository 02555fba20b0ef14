"""What came back of mail sent by Keap, which takes reports itself: by the state of the addresses written to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.integration.test_inbox import READING, TOM, arrived, kinds, sent
from tests.stack import Person, Stack, until

ALL = "capabilities=send,read,contacts&kind=personal"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("inbox")
    with stacks.running(data, settings={"TRUESEND_INBOX_SECONDS": "1"}) as running:
        yield running
    up.remove(data)


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def looked(stack: Stack, account: str) -> None:
    """Until Keap was asked twice more."""
    before = len(stack.sandbox.calls(operation="addresses.list", account=account))
    until(
        lambda: len(stack.sandbox.calls(operation="addresses.list", account=account)),
        lambda n: n >= before + 2,
        20,
    )


@pytest.mark.parametrize(
    ("status", "rule", "confidence"), [("5.1.1", "bounce_hard", 1.0), ("4.2.2", "bounce_soft", 0.7)]
)
def test_a_bounce_is_known_by_the_address(
    stack: Stack, ana: Person, status: str, rule: str, confidence: float
) -> None:
    connection = ana.connect(query=ALL, provider="keap")["id"]
    to = f"kim-{ana.email}"
    email = sent(ana, connection, to)
    stack.sandbox.act(arrived(stack, email), "bounce", status=status)
    (told,) = ana.signals(email["id"], 1)
    assert (told["kind"], told["rule"], told["recipient"]) == ("bounce", rule, to)
    assert told["confidence"] == confidence
    assert told["reason"].startswith(f"Keap says of {to}: ")
    assert ana.api("GET", f"emails/{email['id']}").json()["problem"] == "bounced"
    looked(stack, ana.email)
    assert kinds(ana.signals(email["id"], 1)) == ["bounce"]


def test_an_opt_out_there_is_one_here(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=ALL, provider="keap")["id"]
    to = f"lee-{ana.email}"
    email = sent(ana, connection, to)
    arrival = arrived(stack, email)
    stack.sandbox.control(
        "POST", "keap/addresses", {"account": ana.email, "email": to, "status": "LIST_UNSUBSCRIBE"}
    )
    (told,) = ana.signals(email["id"], 1)
    assert (told["kind"], told["rule"], told["recipient"]) == ("unsubscribe", "opted_out", to)
    assert arrival


def test_a_limit_of_the_mailbox_is_told_of_what_was_sent_by_keap(stack: Stack, ana: Person) -> None:
    """Its reports come to the address that it sent as, where that is read."""
    mailbox = ana.connect(query=READING)["id"]
    connection = ana.connect(query=ALL, provider="keap")["id"]
    email = sent(ana, connection, TOM)
    stack.sandbox.act(arrived(stack, email), "bounce", about="sender")
    assert ana.signals(email["id"], 1)[0]["rule"] == "bounce_of_the_sender"
    found = until(lambda: ana.connection(connection), lambda one: one["verdict"] == "attention", 10)
    assert found["cause"] == "daily_limit"
    assert ana.connection(mailbox)["verdict"] != "attention"
    held = ana.email_when(ana.send(connection, to=[TOM])["id"], "held")
    assert held["deliveries"][0]["held_cause"] == "daily_limit"
