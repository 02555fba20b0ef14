"""A worker that stands still cannot say so: every page does, and web mails whom it concerns, once; then it is over."""

from __future__ import annotations

import email
import email.policy
import html
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import requests
from tests import stack as stacks
from tests import up as ups
from tests.ports import free_ports
from tests.stack import Stack, until

LINE = "Nothing is sent or renewed right now."
BEGAN, OVER = "[dev] Nothing is sent or renewed right now", "[dev] Sending goes on"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A stack of one's own: its worker is stopped."""
    data = tmp_path / "data"
    with stacks.running(data) as started:
        yield started
    ups.remove(data)


@contextmanager
def another_web(own: Stack) -> Iterator[None]:
    """A web process beside that of ``up``, as on another machine."""
    port = free_ports(1)[0]
    environment = ups.environment(json.loads((own.up.data / "run" / "settings.json").read_text()))
    process = subprocess.Popen(
        ups.command("web", "--port", str(port)), env=environment, stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        try:
            return requests.get(f"http://localhost:{port}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    try:
        until(answers, bool, 90)
        yield
    finally:
        process.kill()
        process.wait()


def mails(own: Stack, address: str) -> dict[str, list[str]]:
    """The texts of the system's mails about a standstill in somebody's mailbox, by subject."""
    found: dict[str, list[str]] = {BEGAN: [], OVER: []}
    for one in own.sandbox.messages(to=address):
        parsed = email.message_from_string(one["raw"], policy=email.policy.default)
        part = parsed.get_body(("plain",))
        if part is not None and parsed["Subject"] in found:
            found[parsed["Subject"]].append(part.get_content())
    return found


def mailed(own: Stack, address: str, subject: str) -> list[str]:
    """The texts with that subject."""
    return mails(own, address)[subject]


@pytest.mark.timeout(300)
def test_a_worker_that_stands_still_is_told_of_on_every_page_and_by_one_mail(own: Stack) -> None:
    ana = own.person("ana", "Northwind Traders")
    connection = ana.connect()
    tom = own.person(
        "tom", "Southwind"
    )  # nothing connected: the line concerns him all the same, a mail does not
    eve = own.person("eve", "Elsewhere")
    eve.connect()
    user = own.member_of(ana)  # no owner
    own.up.scene(
        "user", "create", "--email", "ops@northwind.example", "--password", stacks.PASSWORD,
        "--organization", "Operations", "--operator",
    )  # fmt: skip

    def health(person: stacks.Person) -> str:
        return html.unescape(person.get("/partials/health").text)

    worker = own.up.pid("worker")
    assert worker is not None
    with another_web(own):
        own.sandbox.advance(3 * 24 * 3600)  # an overdue renewal after a jump of the clock is no standstill
        assert LINE not in health(ana)
        os.kill(worker, signal.SIGSTOP)
        stopped = time.monotonic()
        try:
            sent = ana.send(connection["id"])["id"]
            time.sleep(15)
            assert LINE not in health(ana)
            told = until(lambda: health(ana), lambda page: LINE in page, 15)
            assert 18 < time.monotonic() - stopped < 30
            # Nobody is mailed before a minute is over: it is real time (design §3), so this test waits for it.
            time.sleep(max(0.0, 55 - (time.monotonic() - stopped)))
            assert mails(own, ana.email) == {BEGAN: [], OVER: []}
            assert LINE in health(ana)
            assert "Who can help: " in told
            assert "Contact support" in told
            assert LINE in health(tom)
            assert LINE in html.unescape(ana.get("/emails").text)
            for person in (ana.email, eve.email, "ops@northwind.example"):
                until(partial(mailed, own, person, BEGAN), bool, 25)
        finally:
            os.kill(worker, signal.SIGCONT)
        ana.email_when(sent, "sent")
        until(lambda: health(ana), lambda page: LINE not in page, 10)
        for person in (ana.email, eve.email, "ops@northwind.example"):
            until(partial(mailed, own, person, OVER), bool, 10)
        time.sleep(5)  # two looks of each web process, neither of which mails again
    for person in (ana.email, eve.email, "ops@northwind.example"):
        assert [len(texts) for texts in mails(own, person).values()] == [1, 1], person
    for person in (tom.email, user.email):
        assert [len(texts) for texts in mails(own, person).values()] == [0, 0], person
    (began,), (over,) = mails(own, eve.email).values()
    assert "its worker shows no life" in began
    assert "ops@northwind.example" in began
    assert "stood still for 1 minute" in over
    assert "worker.log" in mails(own, "ops@northwind.example")[BEGAN][0]
