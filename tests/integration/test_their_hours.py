"""The hour on recipients' clocks: learnt from their own answers, told where an hour is chosen, forgotten with them."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests import stack as stacks
from tests import up
from tests.integration.test_inbox import READING, arrived, sent
from tests.stack import Person, Stack, until
from tests.storms.overdue import email_of, now


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("hours")
    with stacks.running(data, settings={"TRUESEND_INBOX_SECONDS": "1"}) as running:
        yield running
    up.remove(data)


def answers(ana: Person, connection: str, to: str, *offsets: str, act: str = "reply", **more: str) -> str:
    """Somebody answers, each time by a clock so far from UTC."""
    email = sent(ana, connection, to)
    arrival = arrived(ana.stack, email)
    for number, offset in enumerate(offsets, 1):
        told = {"utc_offset": offset} if offset else {}
        ana.stack.sandbox.act(arrival, act, **told, **more)
        ana.signals(email["id"], number, 20)
    return str(email["id"])


def scheduled(ana: Person, connection: str, *to: str) -> dict[str, str]:
    at = (now(ana.stack) + timedelta(days=2)).isoformat(timespec="seconds")
    made: dict[str, str] = ana.send(connection, to=list(to), send_at=at)
    return made


def told(ana: Person, email: str) -> dict[str, str]:
    """By address the hour as the API tells it."""
    return {one["address"]: one["at"] for one in email_of(ana, email)["their_hours"]}


def test_the_newest_answer_of_a_person_tells(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect(query=READING)["id"]
    ines, tom = f"ines-{ana.email}", f"tom-{ana.email}"
    answers(ana, connection, ines, "-0500", "+0900", "-0000", "+9900")
    answers(ana, connection, tom, "", act="auto_reply")
    email = scheduled(ana, connection, ines, tom)
    (known,) = told(ana, email["id"]).items()
    assert known[0] == ines
    assert known[1].endswith("+09:00")
    assert datetime.fromisoformat(known[1]) == datetime.fromisoformat(email["send_at"])
    page = html.unescape(ana.get(f"/emails/{email['id']}").text)
    hour = datetime.fromisoformat(known[1]).strftime("%H:%M")
    assert "Waits for its hour: <time" in page
    assert f"about {hour} on" in page
    assert f"for {ines} (UTC+9)." in page
    # A stranger's organization knows nothing of them, and sees nothing of the email.
    bob = stack.person("bob", "Contoso")
    other = scheduled(bob, bob.connect()["id"], ines)
    assert told(bob, other["id"]) == {}
    seen = bob.get(f"/emails/{email['id']}/hours?at=2026-12-24T09:00&zone=UTC")
    assert ines not in seen.text
    assert "UTC+9" not in seen.text


def test_it_is_told_while_the_hour_is_chosen(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect(query=READING)["id"]
    ines = f"ines-{ana.email}"
    answers(ana, connection, ines, "+0900")
    draft = uuid4()
    fields = {"to": ines, "subject": "x", "text": "Hello", "connection": connection, "action": "save"}
    ana.post(f"/emails/drafts/{draft}/send", fields)
    day = now(stack) + timedelta(days=3)
    choice = {"at": f"{day:%Y-%m-%d}T09:00", "zone": "Europe/Berlin"}
    part = ana.get(f"/emails/{draft}/hours", params=choice).text
    assert f"That is about 17:00 on {day:%a} {day.day} {day:%b} for {ines} (UTC+9)." in part
    assert "It is now about" in ana.get(f"/emails/new?draft={draft}").text
    assert "It is now about" in ana.get(f"/emails/{draft}/hours", params={"at": "nonsense"}).text


def test_it_is_forgotten_with_the_person(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect(query=READING)["id"]
    ines = f"ines-{ana.email}"
    kept = answers(ana, connection, ines, "+0900")
    email = scheduled(ana, connection, ines)
    assert list(told(ana, email["id"])) == [ines]
    ana.post("/account/forget", {"address": ines, "action": "forget"})
    assert told(ana, email["id"]) == {}
    (first,) = email_of(ana, kept)["deliveries"]
    (arrival,) = stack.sandbox.messages(delivery=first["id"])
    stack.sandbox.act(arrival["id"], "reply", utc_offset="+0900")
    looks = len(stack.sandbox.calls(operation="history.list", account=ana.email))
    until(
        lambda: len(stack.sandbox.calls(operation="history.list", account=ana.email)),
        lambda n: n > looks + 2,
        30,
    )
    assert told(ana, email["id"]) == {}
