"""Mail written for hours that pass in an outage of three hours, in mailboxes of all providers; then what a person does
with what was held: some cancelled, some put off, the others let go one by one."""

from __future__ import annotations

import os
import re
import signal
import struct
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.stack import Person, Stack

OUTAGE = timedelta(hours=3)
# Of the last half hour before its end mail would leave by itself.
_FIRST, _LAST = timedelta(minutes=10), timedelta(minutes=140)
_STEP = timedelta(minutes=15)
# Three providers; what is tried is looked for in Sent where that may be read, else a person is asked.
BOXES = (
    ("google", "send,read"),
    ("microsoft", "send,read"),
    ("keap", "send"),
    ("google", "send"),
    ("microsoft", "send"),
)
# Seconds from one to the next, in each of the mailboxes.
_PACES = (60, 300, 60, 900, 60)
_LATER_PACE = 300
# Of what is held in a mailbox so much is cancelled, and as much put off.
_SHARE = 8
_PUT_OFF = timedelta(hours=30)


@dataclass
class Books:
    """What became of it. ``spacing``: seconds between those let go in a mailbox -> in how many mailboxes."""

    kind: str
    emails: int = 0
    held: int = 0
    asked: int = 0
    too_early: int = 0
    cancelled: int = 0
    moved: int = 0
    released: int = 0
    spacing: Counter[str] = field(default_factory=Counter)
    flooded: list[str] = field(default_factory=list)
    arrivals: Counter[int] = field(default_factory=Counter)
    accepted: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        pace = ", ".join(f"{spacing} s in {count}" for spacing, count in sorted(self.spacing.items()))
        return (
            f"{self.emails} scheduled: {self.held} held, {self.asked} asked about, {self.too_early} left unasked; "
            f"{self.released} let go ({pace} mailboxes), {self.moved} put off, {self.cancelled} cancelled; "
            f"arrivals {dict(sorted(self.arrivals.items()))}, accepted {dict(sorted(self.accepted.items()))}"
        )

    def shortfalls(self) -> list[str]:
        """What does not balance."""
        short = [*self.wrong, *self.flooded]
        if self.held + self.asked != self.emails:
            short.append(f"{self.held} held and {self.asked} asked about of {self.emails}")
        if self.too_early:
            short.append(f"{self.too_early} left unasked")
        once = {0: self.cancelled, 1: self.emails - self.cancelled}
        for told, found in (("arrived", self.arrivals), ("accepted", self.accepted)):
            if dict(found) != once:
                short.append(f"{told} so often: {dict(found)}, not {once}")
        return short


@dataclass
class Box:
    """A mailbox and what was written in it, by its id, oldest first; ``pace`` is how it is let go."""

    provider: str
    connection: str
    account: str
    pace: int
    emails: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    # When what was let go leaves, but for the first, and what was put off.
    hours: dict[str, datetime] = field(default_factory=dict)
    later: dict[str, datetime] = field(default_factory=dict)


def storm(stack: Stack, kind: str, *, emails: int) -> Books:
    """So many emails and an outage: ``provider`` (everything there fails) or ``worker`` (ours stands still)."""
    books, began = Books(kind, emails), time.monotonic()
    ana = stack.person()
    boxes = list(_boxes(ana))
    start = now(stack)
    for number in range(emails):
        at = start + _FIRST + (_LAST - _FIRST) * number / emails
        box = boxes[number % len(boxes)]
        made = ana.send(box.connection, subject=f"late{number}", send_at=at.isoformat(timespec="seconds"))
        box.emails.append(made["id"])
    ahead = [
        ana.send(one.connection, subject="ahead", send_at=(start + timedelta(hours=60)).isoformat())["id"]
        for one in boxes
    ]
    _outage(stack, boxes, kind)
    _held(stack, ana, boxes, books)
    books.too_early = sum(sum(_arrived(stack, ana, one).values()) for one in boxes)
    _answered(ana, boxes)
    for box in boxes:
        _look_through(stack, ana, box, books)
    _leave(stack, ana, {one: hour for box in boxes for one, hour in box.hours.items()}, books)
    if {email_of(ana, one)["status"] for box in boxes for one in box.moved} != {"scheduled"}:
        books.wrong.append("what was put off does not wait for its hour")
    _leave(stack, ana, {one: hour for box in boxes for one, hour in box.later.items()}, books)
    for email in ahead:
        if email_of(ana, email)["status"] != "scheduled":
            books.wrong.append(f"what is ahead of its hour is {email_of(ana, email)['status']}")
    for box in boxes:
        books.arrivals += Counter(_arrived(stack, ana, box).values())
        for email in box.emails:
            tries = [one for copy in email_of(ana, email)["deliveries"] for one in copy["attempts"]]
            books.accepted[sum(one["outcome"] == "ACCEPTED" for one in tries)] += 1
    books.seconds = time.monotonic() - began
    return books


def now(stack: Stack) -> datetime:
    """The stack's time, which tests move."""
    moved: float = struct.unpack("<d", (stack.up.data / "run" / "clock").read_bytes())[0]
    return datetime.now(UTC) + timedelta(seconds=moved)


def email_of(person: Person, email: str) -> dict[str, Any]:
    """An email as the API tells it."""
    found: dict[str, Any] = person.api("GET", f"emails/{email}").json()
    return found


def _boxes(ana: Person) -> Iterator[Box]:
    name, domain = ana.email.split("@")
    for number, ((provider, asked), pace) in enumerate(zip(BOXES, _PACES, strict=True)):
        account = f"{name}-{number}@{domain}"
        query = f"capabilities={asked}&kind=personal"
        yield Box(provider, ana.connect(account, query, provider)["id"], account, pace)


def _outage(stack: Stack, boxes: list[Box], kind: str) -> None:
    """Three hours in which nothing can leave."""
    worker, faults = stack.up.pid("worker"), []
    assert worker is not None
    if kind == "worker":
        os.kill(worker, signal.SIGSTOP)
    else:
        faults = [stack.sandbox.fault("any", "outage", one.provider, account=one.account) for one in boxes]
    for _ in range(OUTAGE // _STEP):
        stack.sandbox.advance(_STEP.total_seconds())
        if kind != "worker":
            time.sleep(0.5)  # so that something is tried in it; nothing is awaited
    if kind == "worker":
        os.kill(worker, signal.SIGCONT)
    for fault in faults:
        stack.sandbox.control("DELETE", f"faults/{fault}")


def _held(stack: Stack, ana: Person, boxes: list[Box], books: Books) -> None:
    """Wait until each is held, or a person is asked about it: what was tried, and cannot be looked up."""
    for box in boxes:
        for email in box.emails:
            found = _settled(stack, ana, email)
            if found["status"] == "unknown":
                box.asked.append(email)
                continue
            box.held.append(email)
            detail = found["problem_detail"]
            if (detail["cause"], detail["fix"]["label"]) != ("overdue", "Send now"):
                books.wrong.append(f"{found['subject']} is held otherwise: {detail}")
    books.held = sum(len(one.held) for one in boxes)
    books.asked = sum(len(one.asked) for one in boxes)


def _settled(stack: Stack, ana: Person, email: str) -> dict[str, Any]:
    """The email once it is held, or once a person is asked about it."""
    end = time.monotonic() + 120
    while True:
        found = email_of(ana, email)
        if found["status"] == "held":
            return found
        (copy,) = found["deliveries"]
        over = copy["ask_from"] is not None and datetime.fromisoformat(copy["ask_from"]) < now(stack)
        if found["status"] == "unknown" and copy["look_at"] is None and over:
            return found
        assert time.monotonic() < end, found
        # What was tried is looked for in Sent a while later.
        stack.sandbox.advance(60)
        time.sleep(0.3)


def _answered(ana: Person, boxes: list[Box]) -> None:
    """A person has looked: it did not leave, and goes now."""
    for box in boxes:
        for email in box.asked:
            (copy,) = email_of(ana, email)["deliveries"]
            answer = {"outcome": "not_sent", "resend": True}
            said = ana.api("POST", f"deliveries/{copy['id']}/resolve", answer)
            assert said.status_code == 200, said.text
            ana.email_when(email, "sent", 60)


def _look_through(stack: Stack, ana: Person, box: Box, books: Books) -> None:
    """Some cancelled, some put off, the others let go in this mailbox's pace."""
    place = f"/emails/held/{box.connection}?cause=overdue"
    page = ana.get(place).text
    listed = re.findall(r'name="email" value="([^"]+)"', page)
    if sorted(listed) != sorted(box.held):
        books.wrong.append(f"{len(listed)} listed of {len(box.held)} held at {box.provider}")
    asked_at = re.search(r'name="asked_at" value="([^"]+)"', page)
    assert asked_at, page
    asked = {"asked_at": asked_at[1], "boxes": "1"}
    share = max(1, len(box.held) // _SHARE)
    box.cancelled, box.moved = box.held[:share], box.held[share : 2 * share]
    box.released = box.held[2 * share :]
    ana.post(place, {**asked, "email": box.cancelled, "action": "cancel"})
    at = (now(stack) + _PUT_OFF).strftime("%Y-%m-%dT%H:%M")
    later = {"at": at, "zone": "UTC", "pace": str(_LATER_PACE), "email": box.moved, "action": "reschedule"}
    ana.post(place, {**asked, **later})
    ana.post(place, {**asked, "email": box.released, "action": "send", "pace": str(box.pace)})
    # The first one leaves at once, so its hour is gone by the time we look.
    box.hours = _spaced(ana, box.released[1:], box.pace, books)
    box.later = _spaced(ana, box.moved, _LATER_PACE, books)
    books.cancelled += len(box.cancelled)
    books.moved += len(box.moved)
    books.released += len(box.released)
    books.spacing[str(box.pace)] += 1


def _spaced(ana: Person, emails: list[str], pace: int, books: Books) -> dict[str, datetime]:
    """The hours at which they leave, which lie ``pace`` apart."""
    due = [email_of(ana, one)["deliveries"][0]["due_at"] for one in emails]
    if None in due:
        books.flooded.append(f"{due.count(None)} of {len(due)} have left before their turn")
        return {}
    hours = [datetime.fromisoformat(one) for one in due]
    gaps = {round((later - earlier).total_seconds()) for earlier, later in pairwise(hours)}
    if not gaps <= {pace}:
        books.flooded.append(f"let go {sorted(gaps)} s apart, not {pace}")
    return dict(zip(emails, hours, strict=True))


def _leave(stack: Stack, ana: Person, hours: dict[str, datetime], books: Books) -> None:
    """Time passes from one hour to the next: each leaves at its own, and none before."""
    for email, hour in sorted(hours.items(), key=lambda one: one[1]):
        if (ahead := (hour - now(stack)).total_seconds()) > 0:
            stack.sandbox.advance(ahead)
        found = ana.email_when(email, "sent", 60)
        tries = [one for copy in found["deliveries"] for one in copy["attempts"]]
        began = datetime.fromisoformat(tries[-1]["started_at"])
        # The API tells milliseconds.
        if began < hour - timedelta(milliseconds=1):
            books.flooded.append(f"one left {(hour - began).total_seconds():.0f} s before its turn")


def _arrived(stack: Stack, ana: Person, box: Box) -> dict[str, int]:
    """How often each of a mailbox's emails has arrived."""
    counts: dict[str, int] = {}
    for email in box.emails:
        (copy,) = email_of(ana, email)["deliveries"]
        counts[email] = sum(one["count"] for one in stack.sandbox.messages(delivery=copy["id"]))
    return counts
