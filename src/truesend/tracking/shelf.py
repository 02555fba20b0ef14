"""A folder of segments, carried to PostgreSQL: exactly once, whatever dies and when.

What a batch of records says is written in the same transaction that moves the segment's position in
``tracking_segmentoffset``. Two loaders at one segment meet at that row's lock. A segment that no process writes any
more is removed once its end is committed, and only then its position: a loader that holds the lock and can still open
the file may trust the position.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from truesend.tracking import segments as segment_files
from truesend.tracking.records import is_blank, unpack_all

log = logging.getLogger(__name__)

CHUNK = 1024 * 1024
CHUNKS_IN_A_ROW = 8

Connection = psycopg.Connection[tuple[Any, ...]]
After = Callable[[], None] | None
Keep = Callable[[Connection, list[bytes]], After]
"""Writes payloads in the running transaction, and gives what is to be done once it has committed."""


class Shelf:
    """One folder, and what becomes of the records in it."""

    def __init__(self, folder: Path, keep: Keep) -> None:
        self._folder = folder
        self._keep = keep
        self._folder_id = ""
        self._loaded: dict[str, int] = {}  # how far each growing segment is known to be loaded

    def begin(self, connection: Connection) -> None:
        """Begin anew on a connection: nothing is known but what stands committed."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder_id = segment_files.folder_id(self._folder)
        self._loaded.clear()
        self._forget_removed(connection)

    def load(self, connection: Connection) -> bool:
        """Load what is new of each segment, not all of a long one at once; whether there is more."""
        more = False
        for name in segment_files.listing(self._folder):
            for _ in range(CHUNKS_IN_A_ROW):
                if not self._load_some(connection, name):
                    break
            else:
                more = True
        return more

    def _load_some(self, connection: Connection, name: str) -> bool:
        """Load up to one chunk of a segment: whether to come back for more of it at once."""
        path = self._folder / name
        try:
            growing = segment_files.is_growing(
                path
            )  # asked first: one that does not grow stays as it is read
            if growing and self._nothing_new(path, name):
                return False
            position, used, left = self._load_chunk(connection, name, path, growing=growing)
        except (_Taken, FileNotFoundError):
            return False
        self._loaded[name] = position + used
        if used:
            return not growing or used > CHUNK // 2
        if not growing:
            if left:
                log.warning("Segment %s ends in %d bytes that are no whole record.", name, left)
            self._remove(connection, name, path)
        return False

    def _nothing_new(self, path: Path, name: str) -> bool:
        """Whether a segment has no record behind what is known to be loaded."""
        position = self._loaded.get(name)
        return position is not None and is_blank(_read(path, 1, position)[0])

    def _load_chunk(
        self, connection: Connection, name: str, path: Path, *, growing: bool
    ) -> tuple[int, int, int]:
        """One transaction: ``(position before, bytes loaded, bytes behind them that are not blank)``."""
        after: After = None
        with connection.transaction():
            position = self._claim(connection, name)
            data, at_end = _read(path, CHUNK, position)
            payloads, used, skipped = unpack_all(data, at_end=at_end, growing=growing)
            if skipped:
                log.error("Segment %s: %d damaged bytes were skipped.", name, skipped)
            if payloads:
                after = self._keep(connection, payloads)
            if used:
                connection.execute(
                    "UPDATE tracking_segmentoffset SET position = %s WHERE segment = %s",
                    [position + used, name],
                )
        if after is not None:
            after()
        return position, used, len(data[used:].rstrip(b"\0"))

    def _claim(self, connection: Connection, name: str) -> int:
        """The committed position of a segment, locked until the transaction ends."""
        row = connection.execute(
            "SELECT position FROM tracking_segmentoffset WHERE segment = %s FOR UPDATE SKIP LOCKED", [name]
        ).fetchone()
        if row is None:
            row = connection.execute(
                "INSERT INTO tracking_segmentoffset (segment, folder, position) VALUES (%s, %s, 0) "
                "ON CONFLICT (segment) DO NOTHING RETURNING position",
                [name, self._folder_id],
            ).fetchone()
        if row is None:
            raise _Taken
        return int(row[0])

    def _remove(self, connection: Connection, name: str, path: Path) -> None:
        """Remove a segment that was loaded to its end: first the file, then its position."""
        path.unlink(missing_ok=True)
        connection.execute("DELETE FROM tracking_segmentoffset WHERE segment = %s", [name])
        self._loaded.pop(name, None)

    def _forget_removed(self, connection: Connection) -> None:
        """Drop positions whose file is gone: a process died between the two steps of removing."""
        rows = connection.execute(
            "SELECT segment FROM tracking_segmentoffset WHERE folder = %s", [self._folder_id]
        ).fetchall()
        gone = [row[0] for row in rows if not (self._folder / row[0]).exists()]
        if gone:
            connection.execute("DELETE FROM tracking_segmentoffset WHERE segment = ANY(%s)", [gone])


class _Taken(Exception):
    """Another loader is at this segment."""


def _read(path: Path, size: int, position: int) -> tuple[bytes, bool]:
    """Some bytes of a file, and whether they reach its end."""
    with path.open("rb", buffering=0) as file:
        data = os.pread(file.fileno(), size, position)
        return data, position + len(data) >= os.fstat(file.fileno()).st_size
