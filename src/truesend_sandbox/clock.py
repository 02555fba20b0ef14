"""The sandbox's clock: the real time plus an offset that stands in a file others map into memory."""

from __future__ import annotations

import math
import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

_OFFSET = struct.Struct("<d")
MAX_OFFSET = 20 * 365 * 86_400.0
"""Seconds the clock may run ahead: enough for any lifetime, far from the end of what dates can hold."""


class ClockRefused(ValueError):
    """The clock cannot be moved so."""


class Clock:
    """Seconds since the epoch, movable forwards.

    The file holds 8 bytes, a little-endian double: seconds to add to the real time. It is written in place
    (never replaced), because other processes keep it mapped.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        stored = os.pread(self._fd, _OFFSET.size, 0)
        self.offset = 0.0
        if len(stored) == _OFFSET.size:
            value: float = _OFFSET.unpack(stored)[0]
            if math.isfinite(value) and 0 <= value <= MAX_OFFSET:
                self.offset = value
        self._write()

    def _write(self) -> None:
        os.pwrite(self._fd, _OFFSET.pack(self.offset), 0)

    def now(self) -> float:
        """Seconds since the epoch by the sandbox's time."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`. Raises `ClockRefused` for going back or for leaving the range."""
        if not math.isfinite(seconds) or seconds < 0:
            raise ClockRefused("advance must be a number of seconds, zero or more")
        if self.offset + seconds > MAX_OFFSET:
            raise ClockRefused(f"the clock may run at most {MAX_OFFSET:.0f} seconds ahead")
        self.offset += seconds
        self._write()

    def reset(self) -> None:
        """Back to the real time."""
        self.offset = 0.0
        self._write()

    def close(self) -> None:
        os.close(self._fd)


def rfc3339(seconds: float) -> str:
    """`2026-05-01T10:00:00.123Z`, the form Google writes inside its error messages."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
