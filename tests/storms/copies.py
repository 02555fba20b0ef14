"""A list with every kind of bad row, and its copies through a pause, a killed worker, an outage and a stop."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from uuid import uuid4

from tests.stack import Person, Stack, until

SETTINGS = {"TRUESEND_COPIES_PER_MINUTE": "600", "TRUESEND_QUIET_TIME": "30"}
HEADER = "E-mail;First name;City"
# A row of each kind, and what has to be said of it.
BAD = {
    ";Tom;Austin": "has no address",
    "tom.initech.example;Tom;Austin": "has no @",
    "tom@initech;Tom;Austin": "no ending such as .com",
    "tom@@initech.example;Tom;Austin": "cannot be used",
    "a@hooli.example, b@hooli.example;Two;Austin": "more than one address",
    "jörg@hooli.example;Jörg;Bonn": "letters before the @",
    "c@hooli.example;Cy;Austin;TX;USA": "has 5 cells where the header has 3",
    "d@hooli.example;D\x07i;Austin": "control character",
    "e@hooli.example;FranÃ§ois;Lyon": "wrongly encoded",
    'f@hooli.example;"F"e;Austin': "quotation mark in the middle",
    'g@hooli.example;"Gu;Austin': "quotation mark that is opened and never closed",
    "h@hooli.example;;Austin": "has nothing for {{first_name}}",
    f"i@hooli.example;{'i' * 5_001};Austin": "more than 5,000 characters",
}


@dataclass
class Books:
    """What the storm came to: how often something arrived at how many addresses, and what was said of bad rows."""

    arrivals: Counter[int] = field(default_factory=Counter)
    strangers: int = 0
    bad_rows: int = 0
    unnamed: list[str] = field(default_factory=list)
    blows: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"arrivals by address {dict(self.arrivals)}, {self.strangers} to others, {self.bad_rows} bad rows named, "
            f"{len(self.unnamed)} not, {', '.join(self.blows)}, {self.seconds:.0f} s"
        )

    def shortfalls(self, people: int) -> list[str]:
        """What does not balance after a storm with so many good rows."""
        short = [f"not named: {one}" for one in self.unnamed]
        if self.arrivals != Counter({1: people}):
            short.append(f"{dict(self.arrivals)} arrivals, not once at each of {people}")
        if self.strangers:
            short.append(f"{self.strangers} mails to people who were left out")
        return short


def storm(stack: Stack, *, people: int, seed: int) -> Books:
    """Send copies to so many people from an uploaded list."""
    dice, books, began = random.Random(seed), Books(), time.monotonic()
    ana = stack.person("ana")
    connection = ana.connect(query="capabilities=send,read&kind=personal")["id"]
    draft = str(uuid4())
    good = [f"s{seed}-{number}@globex.example" for number in range(people)]
    content, lines = _list(good, connection_address(ana, connection), dice)
    form = {
        "connection": connection, "subject": "For {{city}}", "html": "<p>Hello {{first_name}}</p>",
        "separate_copies": "on", "track_shown": "1", "track": "on",
    }  # fmt: skip
    _save(ana, draft, form)
    _upload(ana, draft, content)
    _named(ana, draft, lines, books)
    refused = ana.post(f"/emails/drafts/{draft}/send", {**form, "action": "send"})
    assert refused.status_code == 409, refused.status_code
    assert ana.api("GET", "emails").json()["items"] == []
    ana.post(f"/emails/drafts/{draft}/people/leave-out", {"leave": "1"})
    first = _send(ana, draft, form)

    _sent(ana, first, people // 5)
    _press(ana, first, "pause")
    paused = _progress(ana, first)
    assert paused["paused"], paused
    time.sleep(2)
    assert _progress(ana, first)["paused"] == paused["paused"]
    books.blows.append(f"paused at {paused['sent']}")
    _press(ana, first, "resume")

    books.blows.append(f"worker killed at {_sent(ana, first, people * 2 // 5)['sent']}")
    pid = until(lambda: stack.up.pid("worker"), bool, 30)
    os.kill(pid, signal.SIGKILL)

    books.blows.append(f"outage at {_sent(ana, first, people // 2)['sent']}")
    stack.sandbox.fault("send", "outage", times=3)
    until(lambda: _progress(ana, first), lambda one: one["unknown"] >= 1, 60)
    # What was under way comes back into an email that is paused, and does not go.
    _press(ana, first, "pause")
    _settled(ana, first, stack)

    _press(ana, first, "cancel")
    stopped = _progress(ana, first)
    assert stopped["stopped"], stopped
    books.blows.append(f"stopped at {stopped['sent']}")
    _over(ana, first, stack)
    again = ana.post(f"/emails/{first}/again")
    rest = re.search(r"draft=([0-9a-f-]{36})", again.url)
    assert rest, again.url
    second = _send(ana, rest[1], form)
    _over(ana, second, stack)

    for address in good:
        books.arrivals[sum(one["count"] for one in stack.sandbox.messages(to=address))] += 1
    ours = {one["id"] for email in (first, second) for one in _email(ana, email)["deliveries"]}
    arrived = [one for one in stack.sandbox.messages() if one["delivery"] in ours]
    books.strangers = sum(not set(one["to"]) <= set(good) for one in arrived)
    books.seconds = time.monotonic() - began
    return books


def connection_address(ana: Person, connection: str) -> str:
    """The address that the mail leaves from."""
    return str(ana.connection(connection)["address"])


def _list(good: list[str], own: str, dice: random.Random) -> tuple[bytes, dict[int, str]]:
    """The file, and what has to be said by line."""
    rows: list[tuple[str, str]] = [
        (f"{address};P{number};{dice.choice(['Lyon', 'Oslo', '=1+1', 'São Paulo'])}", "")
        for number, address in enumerate(good)
    ]
    for row, said in BAD.items():
        rows.insert(dice.randrange(1, len(rows)), (row, said))
    rows.append((f"{good[0].upper()};Twice;Oslo", "once more"))
    rows.append((f"{own};Me;Oslo", "is the address it is sent from"))
    text = "\r\n".join([HEADER, *(row for row, _ in rows), ""])
    return text.encode("utf-16"), {line: said for line, (_, said) in enumerate(rows, 2) if said}


def _save(ana: Person, draft: str, form: dict[str, str]) -> None:
    answer = ana.post(f"/emails/drafts/{draft}/send", {**form, "action": "save"})
    assert answer.status_code == 200, answer.status_code


def _upload(ana: Person, draft: str, content: bytes) -> None:
    headers = {"X-CSRFToken": ana.jar.cookies["csrftoken"], "X-File-Name": "people.csv"}
    url = f"{ana.stack.url}/emails/drafts/{draft}/people/upload"
    answer = ana.jar.post(url, data=content, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text


def _named(ana: Person, draft: str, lines: dict[int, str], books: Books) -> None:
    part = unescape(re.sub(r"<[^>]+>", " ", ana.get(f"/emails/drafts/{draft}/people").text))
    page = " ".join(part.split())
    for line, said in lines.items():
        found = re.search(rf"Line {line} (.*?)(?= Line \d|$)", page)
        if found is None or said not in found[1]:
            books.unnamed.append(f"{line} {said}: {found[1][:80] if found else 'nothing'}")
    named = {int(one) for one in re.findall(r"Line (\d+) (?=has|cannot|is|makes)", page)}
    books.unnamed += [f"{line} is no bad row" for line in sorted(named - lines.keys())]
    books.bad_rows = len(named & lines.keys())


def _send(ana: Person, draft: str, form: dict[str, str]) -> str:
    answer = ana.post(f"/emails/drafts/{draft}/send", {**form, "action": "send"})
    assert answer.url.endswith(f"/emails/{draft}"), (answer.status_code, answer.url)
    ana.stack.sandbox.control("POST", "clock", {"advance": 11})  # the time to undo
    return draft


def _email(ana: Person, email: str) -> dict[str, Any]:
    def read() -> Any:
        answer = ana.api("GET", f"emails/{email}")
        return answer.json() if answer.status_code == 200 else None

    found: dict[str, Any] = until(read, bool, 60)
    return found


def _progress(ana: Person, email: str) -> dict[str, Any]:
    found: dict[str, Any] = _email(ana, email)["progress"]
    return found


def _sent(ana: Person, email: str, count: int) -> dict[str, Any]:
    """Its progress once so many copies have left."""
    found: dict[str, Any] = until(lambda: _progress(ana, email), lambda one: one["sent"] >= count, 240)
    return found


def _settled(ana: Person, email: str, stack: Stack) -> None:
    """Wait until nothing of it is unknown."""
    until(lambda: _forward(ana, email, stack), lambda one: one["unknown"] == 0, 240, steady=True)


def _over(ana: Person, email: str, stack: Stack) -> None:
    def over(one: dict[str, Any]) -> bool:
        return not (one["waiting"] or one["unknown"] or one["held"] or one["paused"])

    until(lambda: _forward(ana, email, stack), over, 300, steady=True)


def _forward(ana: Person, email: str, stack: Stack) -> dict[str, Any]:
    stack.sandbox.control("POST", "clock", {"advance": 10})
    time.sleep(0.3)
    return _progress(ana, email)


def _press(ana: Person, email: str, button: str) -> None:
    answer = ana.post(f"/emails/{email}/{button}")
    assert answer.status_code == 200, answer.status_code
