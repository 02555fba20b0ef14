"""The worker's keeper in a running installation, by the clock that the sandbox moves."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.accounts import sql
from tests.stack import Stack, running, until

_HITS = "SELECT count(*), count(ip), coalesce(max(reduced), 0) FROM tracking_hit"


def hits(stack: Stack, *wanted: int) -> None:
    """Wait for so many hits, so many with an address, and the most that one is cut down."""
    until(lambda: sql(stack, _HITS), lambda rows: rows == [wanted], 15)


def test_what_is_kept_goes_by_the_clock_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path / "data") as stack:
        ana = stack.person()
        connection = ana.connect()["id"]
        ana.post("/account/privacy", {"privacy": "full", "evidence_days": "30", "signal_months": "3"})
        email = ana.send(connection)["id"]
        delivery = ana.email_when(email, "sent")["deliveries"][0]["id"]
        (message,) = stack.sandbox.messages(delivery=delivery)
        stack.sandbox.advance(60)
        stack.sandbox.act(message["id"], "click", as_="browser", ip="81.2.69.142")
        told = ana.signals(email, 1)
        hits(stack, 1, 1, 0)
        stack.sandbox.advance(3600)
        os.kill(int((stack.up.data / "run" / "worker.pid").read_text()), signal.SIGKILL)
        ana.post("/account/privacy", {"privacy": "verdict"})
        hits(stack, 1, 0, 2)
        stack.sandbox.advance(2 * 86_400)
        hits(stack, 0, 0, 0)
        assert ana.signals(email, 1) == told
        stack.sandbox.advance(100 * 86_400)
        until(lambda: sql(stack, "SELECT count(*) FROM tracking_signal"), lambda rows: rows == [(0,)], 15)
