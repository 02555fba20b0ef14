"""What came back to an Outlook mailbox: by the changes of its folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import stack as stacks
from tests import up
from tests.integration.test_inbox import INES, LEA, READING, TOM, arrived, kinds, sent
from tests.stack import Person, Stack, until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("inbox")
    with stacks.running(data, settings={"TRUESEND_INBOX_SECONDS": "1"}) as running:
        yield running
    up.remove(data)


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def connected(ana: Person) -> str:
    return str(ana.connect(query=READING, provider="microsoft")["id"])


def deltas(stack: Stack, account: str) -> int:
    return len(stack.sandbox.calls(operation="messages.delta", account=account))


def looked(stack: Stack, account: str) -> None:
    """Until the mailbox was looked into twice more."""
    before = deltas(stack, account)
    until(lambda: deltas(stack, account), lambda n: n >= before + 4, 20)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ({}, "reply"),
        ({"references": False}, "reply_thread"),
        ({"from": "Ines Moreau <ines@home.example>"}, "reply_other_address"),
        ({"subject": "Something else"}, "reply"),
    ],
)
def test_replies(stack: Stack, ana: Person, answer: dict[str, Any], rule: str) -> None:
    email = sent(ana, connected(ana))
    stack.sandbox.act(arrived(stack, email), "reply", **answer)
    (told,) = ana.signals(email["id"], 1)
    assert (told["kind"], told["rule"], told["recipient"]) == ("reply", rule, "ines@globex.example")
    looked(stack, ana.email)
    assert kinds(ana.signals(email["id"], 1)) == ["reply"]


def test_changes_without_headers_are_asked_singly(stack: Stack, ana: Person) -> None:
    stack.sandbox.switch("microsoft", delta_headers=False)
    try:
        email = sent(ana, connected(ana))
        stack.sandbox.act(arrived(stack, email), "reply", subject="Something else")
        assert ana.signals(email["id"], 1)[0]["rule"] == "reply"
    finally:
        stack.sandbox.switch("microsoft", delta_headers=None)


def test_a_report_names_whom_it_did_not_reach(stack: Stack, ana: Person) -> None:
    email = sent(ana, connected(ana), INES, TOM, LEA)
    arrival = arrived(stack, email)
    stack.sandbox.act(arrival, "delay", to="tom@globex.example")
    assert kinds(ana.signals(email["id"], 1)) == ["delay"]
    stack.sandbox.act(arrival, "bounce", to="tom@globex.example")
    failed = ana.signals(email["id"], 2)[1]
    assert (failed["kind"], failed["recipient"], failed["rule"]) == (
        "bounce",
        "tom@globex.example",
        "bounce_hard",
    )
    shown = ana.api("GET", f"emails/{email['id']}").json()
    assert (shown["problem"], shown["status"]) == ("bounced", "sent")


@pytest.mark.parametrize(
    ("report", "cause"),
    [
        ({}, "daily_limit"),
        (
            {"status": "5.7.233", "diagnostic": "550 5.7.233 Your message can't be sent because your tenant"
             " has exceeded its daily limit for sending email to external recipients"
             " (tenant external recipient rate limit)"},
            "daily_limit",
        ),
        (
            {"status": "5.1.8", "diagnostic": "550 5.1.8 Access denied, bad outbound sender"},
            "sending_blocked",
        ),
    ],
    ids=["recipients", "tenant", "blocked"],
)  # fmt: skip
def test_a_limit_or_block_stops_the_mailbox(
    stack: Stack, ana: Person, report: dict[str, str], cause: str
) -> None:
    connection = connected(ana)
    email = sent(ana, connection)
    stack.sandbox.act(arrived(stack, email), "bounce", about="sender", **report)
    assert ana.signals(email["id"], 1)[0]["rule"] == "bounce_of_the_sender"
    found = until(lambda: ana.connection(connection), lambda one: one["verdict"] == "attention", 10)
    assert found["cause"] == cause
    if cause == "daily_limit":
        held = ana.email_when(ana.send(connection, to=[TOM])["id"], "held")
        assert held["deliveries"][0]["due_at"] is not None
        assert stack.sandbox.messages(delivery=held["deliveries"][0]["id"]) == []
    else:
        refused = ana.api(
            "POST", "emails", {"connection": connection, "to": [TOM], "subject": "x", "html": "x"}
        )
        assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")


def test_a_link_that_is_forgotten_is_read_again_without_telling_twice(stack: Stack, ana: Person) -> None:
    email = sent(ana, connected(ana))
    arrival = arrived(stack, email)
    stack.sandbox.act(arrival, "reply")
    ana.signals(email["id"], 1)
    stack.sandbox.switch("microsoft", delta_token_lifetime=1)
    try:
        stack.sandbox.advance(5)
        stack.sandbox.act(arrival, "reply", text="And one more thing.")
        ana.signals(email["id"], 2, 20)
        looked(stack, ana.email)
    finally:
        stack.sandbox.switch("microsoft", delta_token_lifetime=None)
    assert kinds(ana.signals(email["id"], 2)) == ["reply", "reply"]


def test_a_refused_key_is_renewed_and_nothing_is_lost(stack: Stack, ana: Person) -> None:
    connection = connected(ana)
    email = sent(ana, connection)
    stack.sandbox.fault("messages.delta", "expire_access", "microsoft", account=ana.email, times=1)
    stack.sandbox.act(arrived(stack, email), "reply")
    assert kinds(ana.signals(email["id"], 1, 20)) == ["reply"]
    assert ana.connection(connection)["capabilities"][1]["verdict"] == "working"
