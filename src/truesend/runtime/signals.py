"""Waiting in the main thread for children, for time to pass, or to be told to stop."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Counts requests to stop, and wakes :meth:`wait` for them and for the death of a child."""

    def __init__(self) -> None:
        self.requests = 0
        self._read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # a handler at all, so that it wakes us
        for number in _STOP:
            signal.signal(number, self._request)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requests += 1

    @property
    def stop(self) -> bool:
        """Whether somebody wants us to stop."""
        return self.requests > 0

    def wait(self, seconds: float) -> None:
        """Sleep until a signal arrives, at most ``seconds``."""
        ready, _, _ = select.select([self._read], [], [], max(0.0, seconds))
        if ready:
            os.read(self._read, 4096)
