"""A limit or block told by a bounce: what is queued or scheduled is held, and goes on once it is over."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests import stack as stacks
from tests import up
from tests.integration.test_inbox import READING
from tests.stack import Person, Stack, hidden, until
from tests.storms.overdue import email_of, now

COPIES = 4
KEAP = "capabilities=send,read,contacts&kind=personal"
BLOCK = {"status": "5.1.8", "diagnostic": "550 5.1.8 Access denied, bad outbound sender"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("stops")
    # Copies leave a minute apart, so that most of a mailing waits when the bounce comes.
    settings = {"TRUESEND_INBOX_SECONDS": "1", "TRUESEND_COPIES_PER_MINUTE": "1"}
    with stacks.running(data, settings=settings) as running:
        yield running
    up.remove(data)


@dataclass
class Waiting:
    """What waits in a mailbox: a mailing of which one copy has left, and emails for two hours."""

    ana: Person
    connection: str
    mailing: str
    soon: str
    later: str
    people: list[str] = field(default_factory=list)

    def copies(self) -> list[dict[str, Any]]:
        """The copies of the mailing."""
        found: list[dict[str, Any]] = email_of(self.ana, self.mailing)["deliveries"]
        return found

    def arrivals(self) -> list[int]:
        """How often each copy and email arrived: the mailing's, the soon one, the later one."""
        stack = self.ana.stack
        ids = [one["id"] for one in self.copies()]
        ids += [email_of(self.ana, one)["deliveries"][0]["id"] for one in (self.soon, self.later)]
        return [sum(one["count"] for one in stack.sandbox.messages(delivery=copy)) for copy in ids]


def waiting(stack: Stack, provider: str) -> Waiting:
    ana = stack.person()
    if provider == "keap":
        ana.connect(query=READING)  # its reports come to the address that it sends as
    connection = ana.connect(query=KEAP if provider == "keap" else READING, provider=provider)["id"]
    people = [f"p{number}-{ana.email.replace('@', '-at-')}@globex.example" for number in range(COPIES)]
    people = [one.replace("northwind.example", "nw") for one in people]
    mailing = ana.send(connection, to=people, separate_copies=True)["id"]
    soon = ana.send(connection, send_at=later_by(stack, 150))["id"]
    later = ana.send(connection, send_at=later_by(stack, 30 * 3600))["id"]
    found = Waiting(ana, connection, mailing, soon, later, people)
    until(lambda: found.arrivals()[0], lambda count: count == 1, 30)
    return found


def later_by(stack: Stack, seconds: float) -> str:
    return datetime.fromtimestamp(now(stack).timestamp() + seconds).astimezone().isoformat(timespec="seconds")


def bounces(stack: Stack, one: Waiting, report: dict[str, str], cause: str) -> None:
    (arrival,) = stack.sandbox.messages(delivery=one.copies()[0]["id"])
    stack.sandbox.act(arrival["id"], "bounce", about="sender", **report)
    shown = until(lambda: one.ana.connection(one.connection), lambda it: it["verdict"] == "attention", 20)
    assert shown["cause"] == cause


def held(stack: Stack, one: Waiting, cause: str) -> None:
    """Everything whose hour comes is held with the cause, untried; nobody is suppressed."""
    stack.sandbox.advance(240)
    until(one.copies, lambda rows: all(row["held_cause"] == cause for row in rows[1:]), 30)
    mailing, soon = one.ana.email_when(one.mailing, "held"), one.ana.email_when(one.soon, "held", 30)
    assert [row["status"] for row in mailing["deliveries"]] == ["accepted", *["queued"] * (COPIES - 1)]
    waits = [*mailing["deliveries"][1:], *soon["deliveries"]]
    assert [row["attempts"] for row in waits] == [[]] * COPIES
    assert {row["due_at"] is None for row in waits} == {cause == "sending_blocked"}
    for email in (mailing, soon):
        detail = email["problem_detail"]
        assert detail["cause"] == cause
        page = html.unescape(one.ana.get(f"/emails/{email['id']}").text)
        assert detail["sentence"].split(".")[0] in page
    assert email_of(one.ana, one.later)["status"] == "scheduled"
    assert one.arrivals() == [1] + [0] * (COPIES + 1)
    assert one.ana.api("GET", "suppressions").json()["items"] == []


def gone(stack: Stack, one: Waiting) -> None:
    """It all leaves: the copies a minute apart, each once."""
    waits = [row for row in one.copies() if row["status"] == "queued"]
    hours = [datetime.fromisoformat(row["due_at"]) for row in waits]
    assert [round((b - a).total_seconds()) for a, b in pairwise(hours)] == [60] * (len(hours) - 1)
    until(lambda: _a_minute_later(one), lambda left: left == {"sent"}, 60)
    assert one.arrivals() == [1] * (COPIES + 1) + [0]
    assert email_of(one.ana, one.later)["status"] == "scheduled"
    hour = datetime.fromisoformat(email_of(one.ana, one.later)["send_at"])
    stack.sandbox.advance((hour - now(stack)).total_seconds() + 1)
    one.ana.email_when(one.later, "sent", 60)
    assert one.arrivals() == [1] * (COPIES + 2)


def _a_minute_later(one: Waiting) -> set[str]:
    """How it stands with the mailing and the email that was due soon; then a minute passes."""
    found = {email_of(one.ana, email)["status"] for email in (one.mailing, one.soon)}
    if found != {"sent"}:
        one.ana.stack.sandbox.advance(60)
        time.sleep(0.5)
    return found


@pytest.mark.parametrize("provider", ["google", "microsoft", "keap"])
def test_a_limit_holds_what_waits_until_it_is_over(stack: Stack, provider: str) -> None:
    one = waiting(stack, provider)
    bounces(stack, one, {}, "daily_limit")
    held(stack, one, "daily_limit")
    stack.sandbox.advance(24 * 3600)
    one.ana.email_when(one.soon, "sent", 60)
    gone(stack, one)


@pytest.mark.parametrize("provider", ["microsoft", "keap"])
def test_a_block_holds_what_waits_until_somebody_has_proved_it_over(stack: Stack, provider: str) -> None:
    one = waiting(stack, provider)
    bounces(stack, one, BLOCK, "sending_blocked")
    held(stack, one, "sending_blocked")
    refused = one.ana.api("POST", f"emails/{one.mailing}/release")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    tried = one.ana.api("POST", f"connections/{one.connection}/test-email")
    assert tried.status_code < 300, tried.text
    until(lambda: one.ana.connection(one.connection), lambda it: it["cause"] != "sending_blocked", 30)
    # Nothing leaves by itself that a block had held.
    assert one.arrivals() == [1] + [0] * (COPIES + 1)
    listed = one.ana.get("/emails").text
    assert f"2 emails from {one.ana.email} are held." in listed
    place = f"/emails/held/{one.connection}?cause=sending_blocked"
    page = one.ana.get(place).text
    form = {"asked_at": hidden(page, "asked_at"), "boxes": "1", "email": [one.mailing, one.soon]}
    one.ana.post(place, {**form, "action": "send", "pace": "60"})
    gone(stack, one)
