"""After a blow: the installation repairs itself, time is moved on, and a person answers where one is asked."""

from __future__ import annotations

import signal
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.stack import Stack
from tests.storms import ground
from tests.storms.ground import ENDED, Posted, Row, Rows

PATIENCE = 100.0
# Bytes may leave for so long after an attempt began, on real time.
FENCE = 10.0
_STEP = 30


class Healing:
    """Lets an installation repair itself, moves the time, and answers where a person is asked."""

    def __init__(
        self,
        stack: Stack,
        rows: Rows,
        posted: list[Posted],
        to: str,
        struck: float,
        helper: subprocess.Popen[bytes] | None,
    ) -> None:
        self._stack, self._rows, self._posted, self._to = stack, rows, posted, to
        self._struck = struck
        self.trouble: list[str] = []
        self.refused: Counter[str] = Counter()
        self._helper = helper

    def go(self, until: Callable[[dict[str, Row]], bool] | None = None) -> None:
        """Until every delivery has ended, or ``until`` says so."""
        end = time.monotonic() + PATIENCE
        while True:
            rows = self._rows.of(one.delivery for one in self._posted)
            if until is not None and until(rows):
                return
            left = [one for one in self._posted if rows[one.delivery].status not in ENDED]
            if not left and self._rows.open_attempts() == 0:
                break
            if time.monotonic() > end:
                self.trouble.append(f"not healed within {PATIENCE:.0f} s")
                break
            if left:
                self._move_on(left, rows)
            time.sleep(0.3)

    def is_sent_again(self, rows: dict[str, Row]) -> bool:
        """Second tries are under way, or there is nothing to try; at the latest a while after the fence."""
        again = sum(row.status == "sending" and row.attempts > 1 for row in rows.values())
        return again > 0 or time.monotonic() > self._struck + FENCE + 45

    def _move_on(self, left: list[Posted], rows: dict[str, Row]) -> None:
        """Answer what may be answered; where nothing moves by itself, move the clock."""
        now = self._now()
        asked = [one for one in left if _asks(rows[one.delivery], now)]
        if asked:
            arrived = ground.arrivals(self._stack, self._to)
            for one in asked:
                words = ground.answer_for(self._stack, one, arrived.get(one.delivery, 0))
                # A worker that goes on again may tell first.
                if words not in {"sent", "not_sent"} and "not_unknown" not in words:
                    self.refused[words] += 1
            return
        moving = any(
            row.status == "sending" or (row.status == "queued" and _passed(row.due_at, now))
            for row in (rows[one.delivery] for one in left)
        )
        if not moving:
            # In steps, so that Sent is looked at while its lists are still late.
            self._stack.sandbox.advance(_STEP)
            time.sleep(1.0)

    def _now(self) -> float:
        clock: float = struct.unpack("<d", (self._stack.up.data / "run" / "clock").read_bytes())[0]
        return time.time() + clock

    def help_comes(self) -> None:
        """The second worker goes to work."""
        if self._helper is not None:
            self._helper.send_signal(signal.SIGCONT)

    def dismiss(self) -> None:
        """It goes in good order."""
        if self._helper is None:
            return
        self._helper.terminate()
        try:
            if code := self._helper.wait(15):
                self.trouble.append(f"the second worker ended with {code}")
        except subprocess.TimeoutExpired:
            self.trouble.append("the second worker did not end within 15 s of SIGTERM")


def _asks(row: Row, now: float) -> bool:
    """Whether a person is asked: nothing is looked up any more, and the answer can be given."""
    over = _passed(row.ask_from, now) and _passed(row.over_at, time.time())
    return row.status == "unknown" and row.look_at is None and over


def _passed(moment: Any, now: float) -> bool:
    return moment is not None and moment.timestamp() <= now
