"""From segments to PostgreSQL: exactly once, whatever dies and when.

A batch of records is copied into ``tracking_hit`` in the same transaction that moves the segment's
position in ``tracking_segmentoffset``. Two loaders at one segment meet at that row's lock. A segment that
no process writes any more is removed once its end is committed, and only then its position: a loader that
holds the lock and can still open the file may trust the position.

The loader is a process of its own (``python -m truesend.tracking.loader``), which every tracker keeps running: in the
tracker's it would take the interpreter from the requests. Of several at one folder one loads and the others stand by.
Nothing waits for it: with the database away, segments gather.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from truesend import env
from truesend.blocklist.mirror import Mirror
from truesend.tracking import copying
from truesend.tracking import segments as segment_files
from truesend.tracking.folding import Folding
from truesend.tracking.insert import insert
from truesend.tracking.records import is_blank, unpack_all

log = logging.getLogger(__name__)

PERIOD = 0.1
"""Seconds between two looks at the segments."""

CHUNK = 1024 * 1024
CHUNKS_IN_A_ROW = 8
STANDBY_PERIOD = 1.0
"""Seconds between two looks whether the loader of this folder has ended."""

BACKOFF = (0.2, 5.0)
"""First and longest wait in seconds after a failure."""

STATE = "loader.state"
"""The file in the folder of segments that tells how loading goes."""

NICENESS = 5
"""A request goes before a row: hits are safe where they are."""

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
    """Carries a folder's hits to the database, until :meth:`stop`.

    ``state`` is ``waiting`` (for the first connection, or for another loader of this folder to end), ``ready``,
    ``away`` or ``failing``; it stands in the file :data:`STATE` too.
    """

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder = folder
        self._url = database_url
        self._ended = False
        self._folding = Folding()
        self._loaded: dict[str, int] = {}  # how far each growing segment is known to be loaded
        self._pause = BACKOFF[0]
        self._more = False
        self._state = "waiting"

    def stop(self) -> None:
        """Load what is left and end. Safe in a signal handler, where an Event may not be set."""
        self._ended = True

    def _wait(self, seconds: float) -> bool:
        """Sleep; whether to end."""
        until = time.monotonic() + seconds
        while not self._ended and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, PERIOD))
        return self._ended

    def run(self) -> None:
        """Load, whatever happens to the database, until told to end."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder_id = segment_files.folder_id(self._folder)
        turn = os.open(self._folder / ".loader", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while not _locked(turn):
            if self._wait(STANDBY_PERIOD):
                return
        self._say("waiting")
        while True:
            try:
                self._serve()
                return
            except psycopg.Error as error:
                if self._state != "away":
                    log.warning("The database takes no hits, segments gather (%s).", type(error).__name__)
                self._say("away")
            except Exception:
                log.exception("Loading hits failed; trying again.")
                self._say("failing")
            if self._wait(self._pause):
                return
            self._pause = min(self._pause * 2, BACKOFF[1])

    def _say(self, state: str) -> None:
        self._state = state
        path = self._folder / STATE
        fresh = path.with_name(f".{STATE}.{os.getpid()}")
        try:
            fresh.write_text(state, encoding="ascii")
            fresh.replace(path)
        except OSError as error:  # a full disk keeps nobody from loading
            log.info("How loading goes could not be noted (%s).", error.strerror)

    def _serve(self) -> None:
        assert self._url is not None
        with psycopg.connect(self._url, autocommit=True, **CONNECT) as connection:
            self._loaded.clear()
            self._forget_removed(connection)
            if self._state != "waiting":
                log.warning("The database takes hits again.")
            self._pause = BACKOFF[0]
            self._say("ready")
            while not self._wait(0.0 if self._more else PERIOD):
                self._load_all(connection)
            self._load_all(connection)

    def _load_all(self, connection: Connection) -> None:
        self._more = False
        for name in segment_files.listing(self._folder):
            for _ in range(CHUNKS_IN_A_ROW):
                if not self._load_some(connection, name):
                    break
            else:
                self._more = True

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
        plan, row_ids = None, {}
        with connection.transaction():
            position = self._claim(connection, name)
            data, at_end = _read(path, CHUNK, position)
            payloads, used, skipped = unpack_all(data, at_end=at_end, growing=growing)
            if skipped:
                log.error("Segment %s: %d damaged bytes were skipped.", name, skipped)
            if payloads:
                plan = self._folding.plan(copying.read(payloads))
                row_ids = insert(connection, plan)
                connection.execute("NOTIFY truesend_hits")
            if used:
                connection.execute(
                    "UPDATE tracking_segmentoffset SET position = %s WHERE segment = %s",
                    [position + used, name],
                )
        if plan:
            self._folding.keep(plan, row_ids)
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


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def state_of(folder: Path) -> str:
    """How loading goes, as the loader last said; ``waiting`` before it said anything."""
    try:
        return (folder / STATE).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return "waiting"


def main() -> int:
    """The process, until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    os.nice(NICENESS)
    # It stands where the tracker's files are, and has a database: the tracker itself asks none.
    mirror = Mirror(env.data_dir(), env.database_url(), CONNECT)
    threading.Thread(target=mirror.run, args=(threading.Event(),), name="blocklist", daemon=True).start()
    loader = Loader(segment_files.folder_in(env.data_dir()), env.database_url())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loader.stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    loader.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
