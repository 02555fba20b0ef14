"""From segments to PostgreSQL: exactly once, whatever dies and when.

Hits become rows of ``tracking_hit``; who unsubscribed is carried on beside them. Each in the transaction that moves the
segment's position (:mod:`truesend.tracking.shelf`).

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
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from truesend import env
from truesend.blocklist.mirror import Mirror
from truesend.suppression.loading import keep as keep_unsubscribes
from truesend.tracking import copying, unsubscribe_records
from truesend.tracking import segments as segment_files
from truesend.tracking.folding import Folding
from truesend.tracking.insert import insert
from truesend.tracking.shelf import After, Connection, Shelf

log = logging.getLogger(__name__)

PERIOD = 0.1
"""Seconds between two looks at the segments."""

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


class Loader:
    """Carries a folder's hits to the database, until :meth:`stop`.

    ``beside`` are other shelves that it empties. ``state`` is ``waiting`` (for the first connection, or for another
    loader of this folder to end), ``ready``, ``away`` or ``failing``; it stands in the file :data:`STATE` too.
    """

    def __init__(self, folder: Path, database_url: str, beside: Sequence[Shelf] = ()) -> None:
        self._folder = folder
        self._url = database_url
        self._ended = False
        self._shelves = (Shelf(folder, Hits().keep), *beside)
        self._stuck: set[Shelf] = set()
        self._pause = BACKOFF[0]
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
            for shelf in self._shelves:
                shelf.begin(connection)
            if self._state != "waiting":
                log.warning("The database takes hits again.")
            self._pause = BACKOFF[0]
            self._say("ready")
            more = False
            while not self._wait(0.0 if more else PERIOD):
                more = self._load_all(connection)
            self._load_all(connection)

    def _load_all(self, connection: Connection) -> bool:
        """Whether there is more to load at once."""
        hits, *beside = self._shelves
        more = [hits.load(connection)]
        for shelf in beside:
            try:
                more.append(shelf.load(connection))
                self._stuck.discard(shelf)
            except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
                # It stays where it is, and hits do not wait for it.
                if shelf not in self._stuck:
                    log.error("What lies beside the hits cannot be loaded (%s).", type(error).__name__)
                self._stuck.add(shelf)
        return any(more)


class Hits:
    """Writes hits; floods of equal ones fold, so it remembers what was written last."""

    def __init__(self) -> None:
        self._folding = Folding()

    def keep(self, connection: Connection, payloads: list[bytes]) -> After:
        """Write them in the running transaction; what is to be done once it has committed."""
        plan = self._folding.plan(copying.read(payloads))
        row_ids = insert(connection, plan)
        connection.execute("NOTIFY truesend_hits")
        return partial(self._folding.keep, plan, row_ids)


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
    unsubscribes = Shelf(unsubscribe_records.folder_in(env.data_dir()), keep_unsubscribes)
    loader = Loader(segment_files.folder_in(env.data_dir()), env.database_url(), [unsubscribes])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loader.stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    loader.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
