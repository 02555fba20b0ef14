"""The one source of time.

In ``dev`` with the sandbox on, the sandbox can move time: it keeps the offset in a small shared file
(8 bytes, little-endian double, seconds) that every process maps. Sessions, HTTP timeouts and heartbeats run on
real time and do not come here.
"""

from __future__ import annotations

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from truesend import env

_OFFSET = struct.Struct("<d")
# Linux's monotonic clock stands still while a laptop's lid is closed, the one since boot does not; macOS's goes on.
_STEADY: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class _SharedOffset:
    """The sandbox's offset, mapped once; 0.0 where there is no sandbox."""

    def __init__(self) -> None:
        self._map: mmap.mmap | None = None
        self._looked = False

    def seconds(self) -> float:
        if not self._looked:
            self._open()
        if self._map is None:
            return 0.0
        return float(_OFFSET.unpack_from(self._map)[0])

    def _open(self) -> None:
        path = env.get("CLOCK_FILE")
        if path is None or env.environment() != "dev":
            self._looked = True
            return
        file = Path(path)
        if not file.exists() or file.stat().st_size < _OFFSET.size:
            return  # the sandbox is about to write it: look again next time
        with file.open("rb") as opened:
            self._map = mmap.mmap(opened.fileno(), _OFFSET.size, access=mmap.ACCESS_READ)
        self._looked = True


_shared = _SharedOffset()


def now() -> datetime:
    """The present moment as an aware UTC datetime."""
    return datetime.now(UTC) + timedelta(seconds=_shared.seconds())


def timestamp() -> float:
    """The present moment in seconds since 1970, where an object would cost more than what is done with it."""
    return time.time() + _shared.seconds()


def minute_after(at: datetime) -> datetime:
    """``at`` rounded up to the minute, for every text that names a minute from when something holds: rounded down it
    would promise too much."""
    return (at + timedelta(seconds=59, microseconds=999_999)).replace(second=0, microsecond=0)


def steady() -> float:
    """Seconds that only go forward, for deadlines; they go on while the machine is suspended, where it can tell."""
    return time.clock_gettime(_STEADY)


def real_now() -> datetime:
    """The unmoved wall clock, for heartbeats and sessions only."""
    return datetime.now(UTC)
