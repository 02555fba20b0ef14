"""From segments to PostgreSQL: exactly once, whatever dies and when.

A batch of records is copied into ``tracking_hit`` in the same transaction that moves the segment's
position in ``tracking_segmentoffset``. Two loaders at one segment meet at that row's lock. A segment that
no process writes any more is removed once its end is committed, and only then its position: a loader that
holds the lock and can still open the file may trust the position.

The loader has a connection of its own and nothing waits for it: with the database away, segments gather.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from truesend.tracking import segments as segment_files
from truesend.tracking.folding import Folding
from truesend.tracking.insert import insert
from truesend.tracking.records import unpack_all
from truesend.tracking.segments import Segments

log = logging.getLogger(__name__)

PERIOD = 0.2
"""Seconds at most between two looks at the segments."""

GATHER = 0.02
"""Seconds a batch gathers after the first hit: a hit is in the table before anybody could notice."""

CHUNK = 1024 * 1024
CHUNKS_IN_A_ROW = 8
SCAN_PERIOD = 1.0
"""Seconds between two looks for segments of other processes."""

BACKOFF = (0.2, 5.0)
"""First and longest wait in seconds after a failure."""

STOP_PATIENCE = 3.0

CONNECT: dict[str, Any] = {
    "connect_timeout": 3,
    "application_name": "truesend tracker",
    "options": "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

Connection = psycopg.Connection[tuple[Any, ...]]


class Loader:
    """The thread that carries this folder's hits to the database.

    ``state`` is ``off`` (no database is set), ``waiting`` (first connection), ``ready``, ``away`` or
    ``failing``.
    """

    def __init__(self, segments: Segments, database_url: str | None) -> None:
        self._segments = segments
        self._folder = segments.folder
        self._folder_id = segment_files.folder_id(segments.folder)
        self._url = database_url
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracker-loader", daemon=True)
        self._folding = Folding()
        self._loaded: dict[str, int] = {}  # how far each growing segment is known to be loaded
        self._names: list[str] = []
        self._scanned = 0.0
        self._pause = BACKOFF[0]
        self.state = "waiting" if database_url else "off"

    def start(self) -> None:
        """Begin, unless there is no database to load into."""
        if self._url:
            self._thread.start()

    def wake(self) -> None:
        """Say that there are new records. Any thread may call it."""
        self._wake.set()

    async def stop(self) -> None:
        """Load what is left and end; gives up after a few seconds, the next loader goes on from there."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, STOP_PATIENCE)

    def _run(self) -> None:
        while True:
            try:
                self._serve()
                return
            except psycopg.Error as error:
                if self.state != "away":
                    log.warning("The database takes no hits, segments gather (%s).", type(error).__name__)
                self.state = "away"
            except Exception:
                log.exception("Loading hits failed; trying again.")
                self.state = "failing"
            if self._stop.wait(self._pause):
                return
            self._pause = min(self._pause * 2, BACKOFF[1])

    def _serve(self) -> None:
        assert self._url is not None
        with psycopg.connect(self._url, autocommit=True, **CONNECT) as connection:
            self._loaded.clear()
            self._forget_removed(connection)
            if self.state != "waiting":
                log.warning("The database takes hits again.")
            self.state, self._pause = "ready", BACKOFF[0]
            while not self._stop.is_set():
                if self._wake.wait(PERIOD):
                    time.sleep(GATHER)
                    self._wake.clear()
                self._load_all(connection)
            self._scanned = 0.0
            self._load_all(connection)

    def _load_all(self, connection: Connection) -> None:
        now = time.monotonic()
        if now - self._scanned >= SCAN_PERIOD:
            self._scanned = now
            self._names = segment_files.listing(self._folder)
        active = self._segments.active
        names = [*self._names, active] if active and active not in self._names else self._names
        for name in names:
            for _ in range(CHUNKS_IN_A_ROW):
                if not self._load_some(connection, name):
                    break
            else:
                self._wake.set()

    def _load_some(self, connection: Connection, name: str) -> bool:
        """Load up to one chunk of a segment: whether to come back for more of it at once."""
        path = self._folder / name
        try:
            growing = segment_files.is_growing(path)
            size = path.stat().st_size  # asked second: a segment that does not grow keeps its size
        except FileNotFoundError:
            return False
        if growing and (not name.startswith(self._segments.process) or self._loaded.get(name) == size):
            return False  # its own process takes care of it, or nothing is new
        try:
            position, used = self._load_chunk(connection, name, path, size)
        except (_Taken, FileNotFoundError):
            return False
        self._loaded[name] = position + used
        if used:
            return position + used < size or not growing
        if not growing:
            if position < size:
                log.warning("Segment %s ends in %d bytes that are no whole record.", name, size - position)
            self._remove(connection, name, path)
        return False

    def _load_chunk(self, connection: Connection, name: str, path: Path, size: int) -> tuple[int, int]:
        """One transaction: ``(position before, bytes loaded)``."""
        plan, row_ids = None, {}
        with connection.transaction():
            position = self._claim(connection, name)
            with path.open("rb") as file:
                file.seek(position)
                data = file.read(CHUNK)
            records, used, skipped = unpack_all(data, at_end=position + len(data) >= size)
            if skipped:
                log.error("Segment %s: %d damaged bytes were skipped.", name, skipped)
            if records:
                plan = self._folding.plan(records)
                row_ids = insert(connection, plan)
                connection.execute("NOTIFY truesend_hits")
            if used:
                connection.execute(
                    "UPDATE tracking_segmentoffset SET position = %s WHERE segment = %s",
                    [position + used, name],
                )
        if plan:
            self._folding.keep(plan, row_ids)
        return position, used

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
