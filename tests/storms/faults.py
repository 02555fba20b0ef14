"""A provider at its worst: every twentieth call meets a fault of some kind, while thousands of emails go out.

People repair what only people can (they connect again, release what is held, answer what is asked), time passes by
the sandbox's clock, and in the end every email is accounted for.
"""

from __future__ import annotations

import random
import struct
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests
from tests.stack import Stack
from tests.storms import ground, groups, leftovers, weather
from tests.storms.ground import ENDED, Mailbox, Posted, Row, Rows
from tests.storms.weather import KINDS

SHARE = 0.05
# A provider that does not answer holds a thread for so long.
SETTINGS = {"TRUESEND_HTTP_TIMEOUT": "3", "TRUESEND_WORKER_CONCURRENCY": "24", "TRUESEND_WEB_THREADS": "8"}
_LIMITS = frozenset({"daily_limit", "project_limit"})
_PATIENCE = 600.0
# For mail that goes one by one, as a client's limit lets it.
_MOMENT, _REST = 2.0, 240.0


@dataclass
class Books:
    """What the storm came to."""

    emails: int
    # Up to when everything that moves by itself had come to rest, before most of it was repaired.
    calls: int = 0
    met: Counter[str] = field(default_factory=Counter)
    census: Counter[str] = field(default_factory=Counter)
    # At the end: by (status, arrivals).
    deliveries: Counter[tuple[str, int]] = field(default_factory=Counter)
    told_by: Counter[str] = field(default_factory=Counter)
    # Accepted ones by provider and scope.
    sent_by: Counter[str] = field(default_factory=Counter)
    # Drafts that still lie in mailboxes.
    left_behind: int = 0
    turned_away: int = 0
    reconnected: int = 0
    # The address and where it ended.
    failed_consents: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """Of the provider calls that met a fault."""
        return sum(self.met.values()) / max(1, self.calls)

    def shortfalls(self) -> list[str]:
        """What does not balance; empty when every email is accounted for."""
        short = list(self.trouble)
        for (status, times), count in self.deliveries.items():
            right = {"accepted": {1}, "refused": {0}}.get(status, set())
            if times not in right:
                short.append(f"{count} deliveries are {status} and arrived {times} times")
        if (ended := sum(self.deliveries.values())) != self.emails:
            short.append(f"{ended} of {self.emails} emails are there")
        # A sample of a few emails meets most kinds, not surely each.
        missing = sorted(set(KINDS) - self.met.keys())
        if missing and self.emails >= 1_000:
            short.append(f"no call met {', '.join(missing)}")
        if self.left_behind:
            short.append(f"{self.left_behind} drafts were left behind")
        if self.share < SHARE * 0.8:
            short.append(f"only {self.share:.1%} of the calls met a fault")
        return short

    def __str__(self) -> str:
        return (
            f"{self.calls} provider calls, {self.share:.1%} met a fault {dict(self.met)}; at rest "
            f"{dict(self.census)}; in the end (status, arrivals) {dict(self.deliveries)}, sent {dict(self.sent_by)}; "
            f"unknown ones told by {dict(self.told_by)}; {self.turned_away} turned away at first, {self.reconnected} "
            f"reconnected; {self.left_behind} drafts left behind; {self.seconds:.0f} s"
        )


def storm(stack: Stack, *, mailboxes: int, emails: int, waves: int, seed: int) -> Books:
    """Send ``emails`` over ``mailboxes``, as many of each provider and scope, in ``waves`` of faults."""
    return _Storm(stack, mailboxes, emails, seed).run(waves)


class _Storm:
    def __init__(self, stack: Stack, mailboxes: int, emails: int, seed: int) -> None:
        self._stack, self._dice, self._seed = stack, random.Random(seed), seed
        self._rows = Rows(stack)
        self._began = time.monotonic()
        kinds = groups.every()
        count = -(-mailboxes // len(kinds))
        each = max(1, min(10, count // 2))
        self._mailboxes = [one for kind in kinds for one in ground.mailboxes(stack, kind, count, each=each)]
        self._locks = {one.connection: threading.Lock() for one in self._mailboxes}
        self._posted: list[Posted] = []
        self._recipients: list[str] = []
        self._books = Books(emails)
        self._calls_before = self._calls()
        self._faults: dict[str, str] = {}
        self._turn: list[Mailbox] = []

    def run(self, waves: int) -> Books:
        """All of it."""
        books = self._books
        aside: list[tuple[Mailbox, str]] = []
        for wave in range(waves):
            some = range(books.emails)[wave::waves]
            self._sabotage(len(some), again=wave >= waves // 2)
            aside += self._post([(self._next_mailbox(), f"f{self._seed}-{n}") for n in some], wave)
            self._rest(5 if wave < waves - 1 else _REST)
        self._take_census()
        self._stack.sandbox.control("DELETE", "faults")
        self._settle()
        books.turned_away = len(aside)
        if aside:
            aside = self._post(aside, waves)
            self._settle()
            if aside:
                books.trouble.append(f"{len(aside)} emails are still turned away")
        self._count()
        self._clear_up()
        books.seconds = time.monotonic() - self._began
        return books

    # -- weather --

    def _calls(self) -> int:
        counted: int = self._stack.sandbox.control("GET", "state")["counts"]["calls"]
        return counted

    def _met(self) -> Counter[str]:
        calls = self._stack.sandbox.calls()
        return Counter(self._faults[one["fault"]] for one in calls if one["fault"] in self._faults)

    def _sabotage(self, emails: int, *, again: bool) -> None:
        """Set so many faults that a twentieth of all calls so far and of those to come meet one.

        Every kind once; ``again`` where a mailbox that stands still has not met it so far.
        """
        calls, met = self._calls() - self._calls_before, self._met()
        waiting = [one["kind"] for one in self._stack.sandbox.control("GET", "faults")["items"]]
        each = calls / len(self._posted) if self._posted else 2.0
        wanted = 1.1 * SHARE * (calls + each * emails) - sum(met.values()) - len(waiting) / 2
        planned = [one for one in KINDS if one not in met and (again or one not in waiting)]
        while len(planned) < wanted:
            few = self._dice.random() < 0.1
            planned.append(self._dice.choice(weather.DAMAGE if few else weather.PASSING))
        for kind in planned:
            mailbox = self._next_mailbox()
            made = weather.fault(kind, mailbox.group, self._dice)
            self._fault(made, mailbox)
            if weather.shows_at_a_renewal(kind, made):
                self._fault(weather.fault("expire_access", mailbox.group, self._dice), mailbox)

    def _next_mailbox(self) -> Mailbox:
        """Each in turn, in an order that is another one every time."""
        if not self._turn:
            self._turn = self._dice.sample(self._mailboxes, len(self._mailboxes))
        return self._turn.pop()

    def _fault(self, body: dict[str, Any], mailbox: Mailbox) -> None:
        made = self._stack.sandbox.control("POST", "faults", {**body, "account": mailbox.address})
        self._faults[made["id"]] = body["kind"]

    # -- people --

    def _post(self, wanted: list[tuple[Mailbox, str]], wave: int) -> list[tuple[Mailbox, str]]:
        """Post all; those that a limit turns away are kept for later."""
        to = f"wave{wave}-{self._seed}@globex.example"
        self._recipients.append(to)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda one: self._post_one(one[0], one[1], to), wanted))
        self._posted += [one for one in answers if one is not None]
        return [one for one, answer in zip(wanted, answers, strict=True) if answer is None]

    def _post_one(self, mailbox: Mailbox, key: str, to: str) -> Posted | None:
        """None where a limit is in the way; where a person can repair it, she does."""
        body = {"connection": mailbox.connection, "to": [to], "subject": key, "html": "<p>Hello</p>"}
        for _ in range(30):
            try:
                answer = mailbox.person.api("POST", "emails", body, Idempotency_Key=key)
            except requests.RequestException:
                continue
            if answer.status_code in {200, 201}:
                made = answer.json()
                return Posted(mailbox, made["id"], made["deliveries"][0]["id"])
            if answer.status_code != 409:
                time.sleep(0.3)
                continue
            closed = [gate["cause"] for gate in answer.json()["gates"] if not gate["ok"]]
            if set(closed) & _LIMITS:
                return None
            self._reconnect(mailbox)
        tried = [one for one in self._books.failed_consents if one.startswith(mailbox.address)]
        raise AssertionError(
            f"{key} cannot be posted: {answer.status_code} {answer.text[:300]}; {tried[-2:]}"
        )

    def _reconnect(self, mailbox: Mailbox) -> None:
        """The one button that helps; where somebody else has just pressed it, nothing is left to do."""
        with self._locks[mailbox.connection]:
            found = mailbox.person.connection(mailbox.connection)
            if found["verdict"] not in {"broken", "attention"}:
                return
            provider = mailbox.group.provider
            self._stack.sandbox.consent(mailbox.address, provider)
            query = f"{mailbox.group.consent}&connection={mailbox.connection}"
            answer = mailbox.person.get(f"/oauth/{provider}/start?{query}")
            if "connected=" not in answer.url:  # a fault met this one too; whoever needs it tries again
                self._books.failed_consents.append(f"{mailbox.address}: {answer.status_code} {answer.url}")
                return
            self._books.reconnected += 1

    # -- time --

    def _now(self) -> float:
        offset: float = struct.unpack("<d", (self._stack.up.data / "run" / "clock").read_bytes())[0]
        return time.time() + offset

    def _read(self) -> dict[str, Row]:
        return self._rows.of(one.delivery for one in self._posted)

    def _moves(self, row: Row, now: float) -> bool:
        """A client whose moment is used up lets the next one go in the next."""
        return row.status == "sending" or (row.status == "queued" and _passed(row.due_at, now + _MOMENT))

    def _rest(self, seconds: float) -> None:
        """Until nothing moves by itself, or so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            now = self._now()
            if not any(self._moves(row, now) for row in self._read().values()):
                return
            time.sleep(0.5)

    def _take_census(self) -> None:
        """Everything at rest says why: what is queued has an hour or a cause, what is unknown will be told."""
        now = self._now()
        self._books.calls = self._calls() - self._calls_before
        self._books.met = self._met()
        for row in self._read().values():
            held = f"held: {row.held_cause}" if row.held_cause else ""
            name = held or (row.status if row.status != "queued" else "queued for later")
            self._books.census[name] += 1
            if self._moves(row, now):
                self._books.trouble.append(f"{row.delivery} does not come to rest: {row}")
            elif row.status == "queued" and row.due_at is None and not row.held_cause:
                self._books.trouble.append(f"{row.delivery} is queued for nothing")
            elif row.status == "unknown" and row.look_at is None and row.ask_from is None:
                self._books.trouble.append(f"{row.delivery} is unknown and nobody will be asked")

    def _settle(self) -> None:
        """Repair, answer, let time pass, until every delivery has ended."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            rows, now = self._read(), self._now()
            left = [one for one in self._posted if rows[one.delivery].status not in ENDED]
            if not left and self._rows.open_attempts() == 0:
                return
            held = [one for one in left if _needs_somebody(rows[one.delivery])]
            asked = [one for one in left if _asks(one, rows[one.delivery], now)]
            if held:
                self._repair(held)
            if asked:
                self._answer(asked)
            if not held and not asked:
                moving = any(self._moves(rows[one.delivery], now) for one in left)
                self._pass_time([] if moving else [rows[one.delivery] for one in left], now)
        rows = self._read()
        stuck = Counter(f"{row.status} {row.held_cause}" for row in rows.values() if row.status not in ENDED)
        self._books.trouble.append(f"not settled within {_PATIENCE:.0f} s: {dict(stuck)}")

    def _pass_time(self, rows: list[Row], now: float) -> None:
        """To the next hour that something waits for. The fence of a try passes on real time."""
        hours = [
            hour.timestamp()
            for row in rows
            for hour in (row.due_at, row.look_at, row.ask_from)
            if hour is not None
        ]
        if ahead := [hour for hour in hours if hour > now]:
            self._stack.sandbox.advance(max(1.0, min(ahead) - now + 0.5))
        time.sleep(1.2)

    def _repair(self, held: list[Posted]) -> None:
        by_mailbox: dict[Mailbox, list[Posted]] = defaultdict(list)
        for one in held:
            by_mailbox[one.mailbox].append(one)

        def repair(mailbox: Mailbox) -> None:
            self._reconnect(mailbox)
            for one in by_mailbox[mailbox]:
                mailbox.person.api("POST", f"emails/{one.email}/release")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(repair, by_mailbox))

    def _answer(self, asked: list[Posted]) -> None:
        arrived = self._arrived()
        with ThreadPoolExecutor(4) as pool:
            answers = pool.map(
                lambda one: ground.answer_for(self._stack, one, arrived.get(one.delivery, 0)), asked
            )
        refused = Counter(words for words in answers if words not in {"sent", "not_sent"})
        # It may have become known, or be held by its fence, between the look and the answer.
        for words, count in refused.items():
            if "not_unknown" not in words:
                self._books.trouble.append(f"{count} answers of a person were refused: {words}")

    # -- the end --

    def _arrived(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for to in self._recipients:
            found |= ground.arrivals(self._stack, to)
        return found

    def _count(self) -> None:
        books, rows, arrived = self._books, self._read(), self._arrived()
        for one in self._posted:
            row = rows[one.delivery]
            books.deliveries[row.status, arrived.get(one.delivery, 0)] += 1
            books.sent_by[str(one.mailbox.group)] += row.status == "accepted"
            books.told_by.update(set(filter(None, row.settled_by.split(","))))
        if strangers := arrived.keys() - rows.keys():
            books.trouble.append(f"{len(strangers)} marks arrived that nobody posted")

    def _clear_up(self) -> None:
        """Everybody repairs what is still broken: then nothing of what sent nothing stays in a mailbox."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._reconnect, self._mailboxes))
        leftovers.wait_until_cleared(self._stack, self._rows)
        self._books.left_behind = leftovers.of(self._stack.sandbox, self._mailboxes).total()


def _needs_somebody(row: Row) -> bool:
    return row.status == "queued" and row.due_at is None


def _asks(posted: Posted, row: Row, now: float) -> bool:
    """Whether a person is asked: nothing is looked up any more, and the answer can be given."""
    over = _passed(row.over_at, time.time())
    return row.status == "unknown" and row.look_at is None and _passed(row.ask_from, now) and over


def _passed(moment: datetime | None, now: float) -> bool:
    return moment is not None and moment.timestamp() <= now
