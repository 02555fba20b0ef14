"""`kill -9` of each part in turn while mail goes out and hits come in; then the books are balanced."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
import requests
from tests.stack import Person, Stack, until

PARTS = ("worker", "tracker", "web", "sandbox", "postgres")
SETTLED = ("sent", "unknown")


@dataclass
class Books:
    """What the storm came to."""

    emails: Counter[str] = field(default_factory=Counter)
    # Deliveries by (status here, arrivals at the provider).
    deliveries: Counter[tuple[str, int]] = field(default_factory=Counter)
    kills: list[str] = field(default_factory=list)
    hits_acknowledged: int = 0
    hits_missing: int = 0
    hits_double: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"emails {dict(self.emails)}, deliveries (status, arrivals) {dict(self.deliveries)}, "
            f"{len(self.kills)} kills ({', '.join(self.kills)}), {self.hits_acknowledged} hits acknowledged, "
            f"{self.hits_missing} missing, {self.hits_double} double, {self.seconds:.0f} s"
        )

    def shortfalls(self, *, emails: int, hits: int, rounds: int) -> list[str]:
        """What does not balance after a storm of that size; empty when nothing was lost or doubled."""
        short = []
        if (settled := sum(self.emails.values())) != emails:
            short.append(f"{settled} of {emails} emails came to an end")
        if len(self.kills) != rounds * len(PARTS):
            short.append(f"only {len(self.kills)} parts were killed")
        for (status, arrivals), count in self.deliveries.items():
            if arrivals not in ({1} if status == "accepted" else {0, 1}):
                short.append(f"{count} deliveries are {status} and arrived {arrivals} times")
        if self.hits_missing or self.hits_double:
            short.append(f"{self.hits_missing} hits are missing, {self.hits_double} are double")
        if self.hits_acknowledged <= hits // 2:
            short.append(f"only {self.hits_acknowledged} of {hits} hits were answered")
        return short


def storm(stack: Stack, *, mailboxes: int, emails: int, hits: int, rounds: int, seed: int) -> Books:
    """Send ``emails`` over ``mailboxes`` and hit their links ``hits`` times while parts are killed in turn."""
    dice = random.Random(seed)
    began = time.monotonic()
    people = [stack.person(f"p{number}") for number in range(mailboxes)]
    connections = [person.connect()["id"] for person in people]
    for person in people:
        _ = person.bearer
    tokens = _tokens(stack, people[0], connections[0])

    books = Books()
    over = threading.Event()
    killer = threading.Thread(target=_kill, args=(stack, books, rounds, dice, over))
    killer.start()
    ids: list[tuple[Person, str]] = []
    with ThreadPoolExecutor(16) as pool:
        sending = [
            pool.submit(
                _send, people[number % mailboxes], connections[number % mailboxes], f"storm-{seed}-{number}"
            )
            for number in range(emails)
        ]
        hitting = [
            pool.submit(_hit, dice.choice(tokens), f"storm-{seed}-{number}", over) for number in range(hits)
        ]
        ids = [job.result() for job in sending]
        acknowledged = {name for job in hitting if (name := job.result())}
    killer.join()

    for person, email_id in ids:
        found = until(
            partial(_get, person, f"emails/{email_id}"),
            lambda one: one is not None and one["status"] in SETTLED,
            90,
        )
        books.emails[found["status"]] += 1
        for delivery in found["deliveries"]:
            arrived = sum(one["count"] for one in stack.sandbox.messages(delivery=delivery["id"]))
            books.deliveries[delivery["status"], arrived] += 1
    rows = _hit_rows(stack, seed, len(acknowledged))
    books.hits_acknowledged = len(acknowledged)
    books.hits_missing = len(acknowledged - rows.keys())
    books.hits_double = sum(count > 1 for count in rows.values())
    books.seconds = time.monotonic() - began
    return books


def _tokens(stack: Stack, person: Person, connection: str) -> list[str]:
    """Tracking addresses out of one sent email."""
    links = "".join(f'<a href="https://example.com/{number}">link {number}</a> ' for number in range(20))
    sent = person.send(connection, html=f"<p>{links}</p>")
    delivery = person.email_when(sent["id"], "sent")["deliveries"][0]
    import email
    import email.policy

    (message,) = stack.sandbox.messages(delivery=delivery["id"])
    parsed = email.message_from_string(message["raw"], policy=email.policy.default)
    part = parsed.get_body(("html",))
    assert part is not None
    return re.findall(r"http://localhost:\d+/t/[co]/[\w.-]+", part.get_content())


def _kill(stack: Stack, books: Books, rounds: int, dice: random.Random, over: threading.Event) -> None:
    for _ in range(rounds):
        for part in PARTS:
            time.sleep(dice.uniform(0.3, 1.2))
            pid = until(partial(stack.up.pid, part), bool, 30)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            books.kills.append(part)
            until(partial(stack.up.pid, part), partial(_is_another, pid), 40)
    over.set()


def _is_another(old: int, pid: int | None) -> bool:
    return bool(pid) and pid != old


def _send(person: Person, connection: str, name: str) -> tuple[Person, str]:
    """As a careful script does: the same Idempotency-Key until there is an answer."""
    body = {
        "connection": connection,
        "to": [f"{name}@globex.example"],
        "subject": name,
        "html": "<p>Hello <a href='https://example.com'>there</a></p>",
    }
    end = time.monotonic() + 90
    while True:
        try:
            answer = person.api("POST", "emails", body, Idempotency_Key=name)
        except requests.RequestException:
            answer = None
        if answer is not None and answer.status_code in {200, 201}:
            return person, answer.json()["id"]
        assert time.monotonic() < end, f"{name}: {answer.status_code if answer is not None else 'no answer'}"
        time.sleep(0.3)


def _hit(url: str, name: str, over: threading.Event) -> str | None:
    """One hit with an agent of its own; its name where the answer came whole."""
    if not over.is_set():
        time.sleep(0.05)  # so that hits last as long as the kills do
    try:
        answer = requests.get(url, headers={"User-Agent": name}, allow_redirects=False, timeout=20)
    except requests.RequestException:
        return None
    return name if answer.status_code in {200, 302} else None


def _get(person: Person, path: str) -> Any:
    try:
        answer = person.api("GET", path)
    except requests.RequestException:
        return None
    return answer.json() if answer.status_code == 200 else None


def _hit_rows(stack: Stack, seed: int, expected: int) -> dict[str, int]:
    url = (stack.up.data / "run" / "database_url").read_text().strip()

    def read() -> dict[str, int]:
        with psycopg.connect(url) as connection:
            found = connection.execute(
                "SELECT user_agent, sum(count) FROM tracking_hit WHERE user_agent LIKE %s GROUP BY user_agent",
                [f"storm-{seed}-%"],
            )
            return {agent: int(count) for agent, count in found}

    end = time.monotonic() + 20
    while len(rows := read()) < expected and time.monotonic() < end:
        time.sleep(0.2)
    return rows
