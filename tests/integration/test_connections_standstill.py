"""A worker that stands still cannot say so: the health line of every page does, and takes it back."""

from __future__ import annotations

import html
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up as ups
from tests.stack import Stack, until

LINE = "Nothing is sent or renewed right now."


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A stack of one's own: its worker is stopped."""
    data = tmp_path / "data"
    with stacks.running(data) as started:
        yield started
    ups.remove(data)


def test_the_health_line_tells_that_the_worker_stands_still(own: Stack) -> None:
    ana = own.person()
    connection = ana.connect()
    tom = own.person("tom")  # nothing connected: it concerns him all the same

    def health(person: stacks.Person) -> str:
        return html.unescape(person.get("/partials/health").text)

    worker = own.up.pid("worker")
    assert worker is not None
    own.sandbox.advance(3 * 24 * 3600)  # an overdue renewal after a jump of the clock is no standstill
    assert LINE not in health(ana)
    os.kill(worker, signal.SIGSTOP)
    stopped = time.monotonic()
    try:
        email = ana.send(connection["id"])["id"]
        time.sleep(45)
        assert LINE not in health(ana)
        # The minute is real time (design §3), so this test waits for a real minute.
        told = until(lambda: health(ana), lambda page: LINE in page, 25)
        assert 58 < time.monotonic() - stopped < 70
        assert "Truesend's worker does not answer; whoever runs it is told by this line." in told
        assert "Who can help: " in told
        assert "Contact support" in told
        assert LINE in health(tom)
        assert LINE in html.unescape(ana.get("/emails").text)
    finally:
        os.kill(worker, signal.SIGCONT)
    ana.email_when(email, "sent")
    until(lambda: health(ana), lambda page: LINE not in page, 10)
