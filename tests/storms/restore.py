"""A clone of the database beside the live one, and an older backup in its place: what leaves, counted at the provider.

The sandbox stands by itself, so that it sees the calls of both and outlives either.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from tests import postgres, up
from tests.sandbox_process import Sandbox, running_sandbox
from tests.stack import Person, Stack, until
from tests.storms.backups import back_up, dump, program, restore

from truesend.providers import sandboxed
from truesend.runtime.postgres import Postgres

READ = "capabilities=send,read&kind=personal"


@dataclass
class Books:
    """What was counted: per kind of delivery what became of it, and how often its mark arrived."""

    sentences: list[str] = field(default_factory=list)
    calls_before_adopt: int = 0
    renewed_by_both: int = 0
    watched_seconds: float = 0.0
    calls_after_adopt: Counter[str] = field(default_factory=Counter)
    arrived: Counter[int] = field(default_factory=Counter)
    became: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def twice(self) -> int:
        """Deliveries that arrived more than once."""
        return sum(number for count, number in self.arrived.items() if count > 1)

    def shortfalls(self, *, each: int) -> list[str]:
        """What does not hold, with ``each`` readers and as many senders; empty when all does."""
        became = {("reader", "sent"): each, ("reader", "held"): each, ("sender", "unknown"): 2 * each}
        return [
            *([f"{self.calls_before_adopt} calls before adopt"] if self.calls_before_adopt else []),
            *([f"{self.renewed_by_both} renewals by both"] if self.renewed_by_both else []),
            *([f"arrived: {dict(self.arrived)}"] if set(self.arrived) != {1} else []),
            *([f"became: {dict(self.became)}"] if self.became != became else []),
            *([] if self.calls_after_adopt["token.refresh"] >= each else ["nothing was renewed after adopt"]),
        ]


@dataclass
class Ground:
    """A sandbox of its own, and where things are kept."""

    folder: Path
    sandbox: Sandbox

    def settings(self, **more: str) -> dict[str, str]:
        """For a ``truesend up`` that meets this sandbox."""
        url = self.sandbox.url
        found = {**sandboxed.settings(url), "SANDBOX_URL": url, "CLOCK_FILE": str(self.folder / "clock")}
        found |= {"EMAIL_URL": f"{url}/_sandbox/mail", "QUIET_TIME": "2"}
        return {f"TRUESEND_{name}": value for name, value in {**found, **more}.items()}

    @contextmanager
    def stack(self, name: str, **settings: str) -> Iterator[Stack]:
        """A ``truesend up`` in the folder of that name."""
        with up.running(
            self.folder / name, sandbox=False, settings=self.settings(**settings), patience=150
        ) as started:
            yield Stack(started, self.sandbox)

    def calls(self) -> int:
        """How many calls a provider has seen."""
        return len(self.sandbox.calls())

    def since(self, before: int) -> list[dict[str, Any]]:
        """The calls after so many."""
        return self.sandbox.calls()[before:]

    def arrived(self, delivery: str) -> int:
        """How often a mark arrived."""
        return sum(one["count"] for one in self.sandbox.messages(delivery=delivery))


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """The sandbox, for the length of the block; data folders go with it."""
    clock = folder / "clock"
    clock.write_bytes(bytes(8))
    with running_sandbox(folder / "sandbox", clock_file=clock) as sandbox:
        yield Ground(folder, sandbox)
    for data in folder.glob("*/postgres_id"):
        up.remove(data.parent)


@dataclass
class Crowd:
    """People with mail in every state that matters: sent, due, and for later; readers may be read, senders not."""

    readers: list[Person]
    senders: list[Person]
    connections: dict[str, str] = field(default_factory=dict)
    sent: list[tuple[Person, dict[str, Any]]] = field(default_factory=list)
    due: list[tuple[Person, dict[str, Any]]] = field(default_factory=list)
    later: list[tuple[Person, dict[str, Any]]] = field(default_factory=list)
    after: list[tuple[Person, dict[str, Any]]] = field(default_factory=list)

    @property
    def people(self) -> list[Person]:
        """Everybody."""
        return [*self.readers, *self.senders]

    @property
    def deliveries(self) -> list[str]:
        """The marks of everything they wrote."""
        every = [*self.sent, *self.due, *self.later, *self.after]
        return [one["id"] for _, email in every for one in email["deliveries"]]

    def move(self, stack: Stack) -> None:
        """They open the same Truesend at its new address, or another one."""
        for person in self.people:
            person.stack = stack

    def write(self, where: list[tuple[Person, dict[str, Any]]], **draft: Any) -> None:
        """One email each."""
        for person in self.people:
            where.append((person, person.send(self.connections[person.email], **draft)))


def crowd(stack: Stack, each: int) -> Crowd:
    """So many readers and so many senders, connected, each with one email sent."""
    found = Crowd(
        [stack.person("reader") for _ in range(each)], [stack.person("sender") for _ in range(each)]
    )
    for person in found.people:
        connected = person.connect(**({"query": READ} if person in found.readers else {}))
        found.connections[person.email] = connected["id"]
    found.write(found.sent)
    for person, email in found.sent:
        person.email_when(email["id"], "sent")
    return found


# -- backups ---------------------------------------------------------------------------------------------------------


def url_of(stack: Stack) -> str:
    """The address of its embedded database."""
    return (stack.up.data / "run" / "database_url").read_text().strip()


@contextmanager
def server(folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL beside Truesend, as a real one: it stays when Truesend ends."""
    folder.mkdir(mode=0o711)
    found = postgres.start(folder, {})
    try:
        yield found
    finally:
        found.stop()
        up.remove(folder)


# -- what everybody must see -------------------------------------------------------------------------------------------


def sentences(stack: Stack, person: Person, connection: str) -> list[str]:
    """What it says in every place; each is checked to be there."""
    ready = requests.get(f"{stack.url}/readyz", timeout=20)
    assert ready.status_code == 503, ready.text
    assert ready.json()["cause"] == "not_adopted"
    sentence = str(ready.json()["sentence"])
    assert "truesend adopt" in sentence
    assert requests.get(f"{stack.url}/healthz", timeout=20).status_code == 200
    assert sentence in stack.up.stderr.read_text()
    for page in ("/integration", "/emails", "/account"):
        assert sentence in person.get(page).text, page
    assert person.api("GET", "me").json()["nothing_is_sent"] == sentence
    draft = {"connection": connection, "to": ["a@globex.example"], "subject": "No", "html": "<p>No</p>"}
    refused = person.api("POST", "emails", draft)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready"), refused.text
    gate = refused.json()["gates"][0]
    assert (gate["name"], gate["ok"], gate["cause"], gate["sentence"]) == (
        "installation",
        False,
        "not_adopted",
        sentence,
    )
    # A button that asks the provider does not, and revoking would end the original's grant.
    assert person.api("POST", f"connections/{connection}/verify").status_code == 200
    log = stack.up.data / "log" / "worker.log"
    until(lambda: log.read_text().count(sentence), lambda lines: lines == 1, 30)
    return [sentence]


def watch(ground: Ground, books: Books, seconds: float) -> None:
    """Nothing is called."""
    before, began = ground.calls(), time.monotonic()
    time.sleep(seconds)
    books.calls_before_adopt += ground.calls() - before
    books.watched_seconds += time.monotonic() - began


def adopt(stack: Stack) -> str:
    """In a second terminal."""
    done = stack.up.run("adopt", "--yes")
    assert done.returncode == 0, done.stderr
    until(lambda: requests.get(f"{stack.url}/readyz", timeout=20).status_code, lambda code: code == 200, 10)
    return done.stdout


def count(ground: Ground, books: Books, people: Crowd) -> None:
    """Every mark that was ever given out."""
    books.arrived = Counter(ground.arrived(one) for one in people.deliveries)


# -- (a) a clone beside the live one -----------------------------------------------------------------------------------


def clone(folder: Path, *, each: int, seconds: float) -> Books:
    """The live one goes on; the clone, with the same keys and the same sandbox, does nothing until it is adopted."""
    books = Books()
    with ground(folder) as place, server(folder / "elsewhere") as elsewhere, ExitStack() as lives:
        live = lives.enter_context(place.stack("live"))
        people = crowd(live, each)
        people.write(people.due, send_at=_in(minutes=35))
        people.write(people.later, send_at=_in(minutes=100))
        leaver = live.person("leaver")
        left = leaver.connect()["id"]
        dump(url_of(live), live.up.data, folder / "backup")
        program(elsewhere, "pg_restore", "--no-owner", "-d", elsewhere.url, str(folder / "backup"))
        keys = {
            f"{name}_FILE": str(live.up.data / name.lower())
            for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "LINK_KEYS")
        }
        with place.stack("clone", DATABASE_URL=elsewhere.url, **keys) as copy:
            people.move(copy)
            idle = place.calls()
            someone = people.readers[0]
            books.sentences += sentences(copy, someone, people.connections[someone.email])
            leaver.stack = copy
            assert leaver.api("POST", f"connections/{left}/disconnect").json()["verdict"] == "disconnected"
            books.calls_before_adopt += place.calls() - idle
            # The same mail and every token fall due in both at the same moment.
            busy = place.calls()
            place.sandbox.advance(55 * 60)
            time.sleep(seconds / 2)
            people.move(live)
            leaver.stack = live
            people.after.append((leaver, leaver.send(left)))  # revoked at the provider, it could not
            for person, email in [*people.due, *people.after]:
                person.email_when(email["id"], "sent", 60)
            renewals = [one["account"] for one in place.since(busy) if one["operation"] == "token.refresh"]
            books.renewed_by_both = len(renewals) - len(set(renewals))
            lives.close()
            # Nobody else is there any more, and in the clone everything is due.
            people.move(copy)
            place.sandbox.advance(60 * 60)
            watch(place, books, seconds)
            count(place, books, people)
            assert books.twice == 0
            before = place.calls()
            adopt(copy)
            _settle(people, books)
            books.calls_after_adopt = Counter(one["operation"] for one in place.since(before))
        count(place, books, people)
    return books


def _in(*, minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def _became(person: Person, email: dict[str, Any], people: Crowd) -> tuple[str, str]:
    """(reader or sender, status) once it is told."""
    kind = "reader" if person in people.readers else "sender"
    wanted = ("sent", "held") if kind == "reader" else ("unknown",)
    return kind, person.email_when(email["id"], wanted, 60)["status"]


# -- (b) an older backup in its place ----------------------------------------------------------------------------------


def in_place(folder: Path, *, kind: str, each: int, seconds: float) -> Books:
    """``kind``: ``dump`` (pg_restore --clean into the same database) or ``files`` (the cluster's files put back)."""
    books = Books()
    with ground(folder) as place, server(folder / "database") as database:
        with place.stack("data", DATABASE_URL=database.url) as live:
            people = crowd(live, each)
            people.write(people.due, send_at=_in(minutes=20))
            people.write(people.later, send_at=_in(minutes=110))
            back_up(database, folder / "backup", kind)
            place.sandbox.advance(30 * 60)
            for person, email in people.due:
                person.email_when(email["id"], "sent", 60)
            people.write(people.after)
            for person, email in people.after:
                person.email_when(email["id"], "sent", 60)
        restore(database, folder / "backup", kind)
        place.sandbox.advance(90 * 60)
        with place.stack("data", DATABASE_URL=database.url) as back:
            people.move(back)
            before = place.calls()
            someone = people.readers[0]
            books.sentences += sentences(back, someone, people.connections[someone.email])
            watch(place, books, seconds)
            books.calls_before_adopt = place.calls() - before
            before = place.calls()
            adopt(back)
            _settle(people, books)
            books.calls_after_adopt = Counter(one["operation"] for one in place.since(before))
        count(place, books, people)
    return books


def _settle(people: Crowd, books: Books) -> None:
    """What was sent is found; what was not is held and goes by one press; where nobody can look, a person says it."""
    for person, email in [*people.due, *people.later]:
        books.became[_became(person, email, people)] += 1
    for person, email in [*people.due, *people.later]:
        if person in people.senders:
            _answer(person, email, sent=email in [one for _, one in people.due])
    for person, email in people.later:
        if person in people.readers:
            found = person.api("GET", f"emails/{email['id']}").json()
            assert (found["status"], found["problem"]) == ("held", "restored"), found
            assert person.api("POST", f"emails/{email['id']}/release").status_code == 200
    for person, email in [*people.due, *people.later]:
        person.email_when(email["id"], "sent", 60)


def _answer(person: Person, email: dict[str, Any], *, sent: bool) -> None:
    (delivery,) = email["deliveries"]
    body = {"outcome": "sent", "resend": False} if sent else {"outcome": "not_sent", "resend": True}
    answer = until(
        lambda: person.api("POST", f"deliveries/{delivery['id']}/resolve", body),
        lambda found: found.status_code == 200,  # 409 while it may still arrive in Sent
        20,
    )
    assert answer.json()["id"] == email["id"]
