"""The blocklist as a file beside the tracker: read without a database, replaced whole, and never in the way.

Layout, little-endian: ``magic 4 | CRC-32 of the rest 4 | length of hosts 4 | number of deliveries 8 | hosts, a JSON
list | deliveries, 16 bytes each, sorted``. A file that is torn, damaged or of another layout is as if nothing had
changed: what was known before stays in force, and at the start nothing is blocked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from truesend.blocklist.hosts import host_of, with_parents

log = logging.getLogger(__name__)

PERIOD = 0.25
"""Seconds between two looks at the file."""

_MAGIC = b"TSb1"
_HEAD = struct.Struct("<4sIIQ")
_ID = 16


class Damaged(ValueError):
    """It is not a blocklist, or not all of one."""


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Hosts, and the sorted ids of deliveries from ``start`` on in ``data``."""

    hosts: frozenset[str]
    data: bytes
    start: int
    count: int

    def blocks(self, delivery: bytes, target: bytes) -> bool:
        """Whether the link of a delivery (the 16 bytes of its id) to ``target``, in UTF-8, leads nowhere."""
        if self.count and self.has(delivery):
            return True
        return bool(self.hosts) and not self.hosts.isdisjoint(with_parents(host_of(target.decode())))

    def has(self, delivery: bytes) -> bool:
        """Whether the delivery itself is blocked."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            at = self.start + middle * _ID
            found = self.data[at : at + _ID]
            if found == delivery:
                return True
            if found < delivery:
                low = middle + 1
            else:
                high = middle
        return False


def path_in(data: Path) -> Path:
    """Where it lies in a data folder."""
    return data / "tracking" / "blocklist"


def packed(hosts: Iterable[str], deliveries: bytes) -> bytes:
    """The file's bytes; ``deliveries`` are sorted ids, 16 bytes each."""
    listed = json.dumps(sorted(set(hosts))).encode()
    rest = struct.pack("<IQ", len(listed), len(deliveries) // _ID) + listed + deliveries
    return _MAGIC + struct.pack("<I", zlib.crc32(rest)) + rest


def unpacked(data: bytes) -> Blocklist:
    """Reads what :func:`packed` wrote. Raises :class:`Damaged`."""
    if len(data) < _HEAD.size:
        raise Damaged("It is too short.")
    magic, checksum, length, count = _HEAD.unpack_from(data)
    start = _HEAD.size + length
    if magic != _MAGIC or len(data) != start + count * _ID:
        raise Damaged("It does not have its length.")
    with memoryview(data) as view:
        if zlib.crc32(view[8:]) != checksum:
            raise Damaged("Its checksum is another.")
    try:
        hosts = frozenset(map(str, json.loads(data[_HEAD.size : start])))
    except (ValueError, TypeError):
        raise Damaged("Its hosts cannot be read.") from None
    return Blocklist(hosts, data, start, count)


def read(path: Path) -> Blocklist:
    """The file, held in memory: a map of one that somebody cuts off would end the process. Raises :class:`Damaged` or
    ``OSError``.
    """
    return unpacked(path.read_bytes())


def write(path: Path, content: bytes) -> None:
    """Replace the file whole: whoever reads sees the old or the new one. ``OSError`` leaves the old one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


class Followed:
    """The file as it last was, for the event loop that answers: ``current`` is ``None`` where nothing is blocked.

    The loop looks at the file's date four times a second; a request pays for an attribute.
    """

    def __init__(self, path: Path) -> None:
        self.current: Blocklist | None = None
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Read it, and follow it from now on; needs a running event loop."""
        self.look()
        self._later()

    def stop(self) -> None:
        """Follow it no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        """Read the file where it is another than at the last look."""
        if self._is_new():
            self._read()

    def _is_new(self) -> bool:
        """Whether there is a file to read; none is an empty list, one that cannot be reached changes nothing."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            self.current, self._seen = None, None
            return False
        except OSError:
            return False
        seen = found.st_mtime_ns, found.st_ino, found.st_size
        is_new = seen != self._seen
        self._seen = seen
        return is_new

    def _read(self) -> None:
        try:
            fresh = read(self._path)
        except (Damaged, OSError) as error:
            log.error("The blocklist cannot be read (%s); what was blocked before still is.", error)
        else:
            self.current = fresh if fresh.hosts or fresh.count else None

    def _later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PERIOD, self._again)

    def _again(self) -> None:
        if not self._is_new():
            self._later()
            return
        # A list of millions takes a moment to check, which is not taken from the requests.
        self._reading = asyncio.get_running_loop().run_in_executor(None, self._read)
        self._reading.add_done_callback(lambda _: self._later())
