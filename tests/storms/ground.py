"""What storms stand on: many connected mailboxes, emails posted as a careful script posts them, and the rows."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import requests
from tests.stack import Person, Stack, until
from tests.storms.groups import Group

ENDED = frozenset({"accepted", "refused", "cancelled"})


@dataclass(frozen=True, eq=False)
class Mailbox:
    """A connected mailbox and whoever owns it."""

    person: Person
    connection: str
    address: str
    group: Group


@dataclass(frozen=True)
class Posted:
    """An email of one delivery that Truesend has taken."""

    mailbox: Mailbox
    email: str
    delivery: str


@dataclass(frozen=True)
class Row:
    """Where a delivery stands."""

    delivery: str
    status: str
    due_at: datetime | None
    held_cause: str
    look_at: datetime | None
    ask_from: datetime | None
    # Real time from which no byte of a try that is open or unknown can leave any more.
    over_at: datetime | None
    attempts: int
    settled_by: str
    causes: list[str]


def mailboxes(stack: Stack, group: Group, count: int, *, each: int = 1) -> list[Mailbox]:
    """``count`` connected mailboxes of a group, ``each`` of them to a person."""
    people = -(-count // each)
    # A first consent names no account: the provider's screen would answer with somebody else's plan.
    one_consent = threading.Lock()

    def connect(number: int) -> list[Mailbox]:
        person = stack.person(f"{group.provider}-{group.scope}{number}")
        _ = person.bearer
        made = []
        for place in range(min(each, count - number * each)):
            address = f"box{place}.{person.email}"
            with one_consent:
                found = person.connect(address, group.consent, group.provider)
            assert found["address"] == address
            made.append(Mailbox(person, found["id"], address, group))
        return made

    with ThreadPoolExecutor(4) as pool:
        return [one for some in pool.map(connect, range(people)) for one in some]


def post(mailbox: Mailbox, key: str, to: str, *, undo: int = 0, patience: float = 60) -> Posted:
    """As a careful script does: the same Idempotency-Key until there is an answer. ``undo`` in seconds."""
    body = {
        "connection": mailbox.connection,
        "to": [to],
        "subject": key,
        "html": "<p>Hello <a href='https://example.com'>there</a></p>",
        "undo_seconds": undo,
    }
    end = time.monotonic() + patience
    while True:
        answer = None
        with contextlib.suppress(requests.RequestException):
            answer = mailbox.person.api("POST", "emails", body, Idempotency_Key=key)
        if answer is not None and answer.status_code in {200, 201}:
            made = answer.json()
            return Posted(mailbox, made["id"], made["deliveries"][0]["id"])
        assert time.monotonic() < end, f"{key}: {answer.text if answer is not None else 'no answer'}"
        time.sleep(0.2)


def post_all(wanted: Iterable[tuple[Mailbox, str, str]], *, undo: int = 0, threads: int = 8) -> list[Posted]:
    """Post (mailbox, key, recipient) side by side."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda one: post(*one, undo=undo), wanted))


class Rows:
    """Reads the rows themselves: the API of hundreds of mailboxes would be most of a storm's load."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def url(self) -> str:
        """Where the rows are."""
        return (self._stack.up.data / "run" / "database_url").read_text().strip()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with psycopg.connect(self.url(), connect_timeout=5) as connection:
            connection.execute("SET statement_timeout = '10s'")
            yield connection

    def ask(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """A query's rows, through a database that is away for a while."""
        end = time.monotonic() + 60
        while True:
            try:
                with self._connection() as connection:
                    return connection.execute(query, values).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def of(self, deliveries: Iterable[str]) -> dict[str, Row]:
        """Every one of ``deliveries``, by id."""
        found = self.ask(
            "SELECT d.id::text, d.status, d.due_at, d.held_cause, d.look_at, d.ask_from,"
            " max(a.over_at) FILTER (WHERE a.outcome IN ('', 'UNKNOWN')), count(a.id),"
            " coalesce(string_agg(nullif(a.settled_by, ''), ',' ORDER BY a.number), ''),"
            " coalesce(array_agg(a.cause ORDER BY a.number) FILTER (WHERE a.cause <> ''), '{}')"
            " FROM sending_delivery d LEFT JOIN sending_attempt a ON a.delivery_id = d.id"
            " WHERE d.id = ANY(%s::uuid[]) GROUP BY d.id",
            [list(deliveries)],
        )
        return {row[0]: Row(*row) for row in found}

    def beats(self, pid: int | None) -> bool:
        """Whether the worker of that process id lives, by its heartbeat."""
        living = self.ask("SELECT name FROM sending_worker WHERE beat_at > now() - interval '3 seconds'")
        return any(f":{pid}:" in name for (name,) in living)

    def open_attempts(self) -> int:
        """Tries whose outcome nobody has written yet."""
        return int(self.ask("SELECT count(*) FROM sending_attempt WHERE outcome = ''")[0][0])


def arrivals(stack: Stack, to: str) -> dict[str, int]:
    """How often each mark arrived at a recipient."""
    return {one["delivery"]: one["count"] for one in stack.sandbox.messages(to=to)}


def answer_for(stack: Stack, posted: Posted, arrived: int) -> str:
    """Do as the person does who looks into the Sent folder: say what is there. What was answered, or a refusal."""
    body = {"outcome": "sent"} if arrived else {"outcome": "not_sent", "resend": True}
    answer = None
    with contextlib.suppress(requests.RequestException):
        answer = posted.mailbox.person.api("POST", f"deliveries/{posted.delivery}/resolve", body)
    if answer is None:
        return "no answer"
    return body["outcome"] if answer.ok else f"{answer.status_code} {answer.json().get('cause', '')}"  # type: ignore[return-value]


def wait_for_work(stack: Stack, rows: Rows) -> None:
    """Until the worker that the installation has started is at work."""
    until(lambda: rows.beats(stack.up.pid("worker")), bool, 60)
