"""Killing and stopping: of a worker, and of PostgreSQL with every process of it, as a crash does."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
from tests.stack import Stack, until

ACTS = (
    "worker killed",
    "worker stopped",
    "worker stopped for long",
    "postgres killed",
    "postgres stopped",
)
SIGNALS = {
    "worker killed": signal.SIGKILL,
    "worker stopped": signal.SIGSTOP,
    "worker stopped for long": signal.SIGSTOP,
}


def postgres(stack: Stack) -> list[int]:
    """The server and its children, the server first."""
    server = until(lambda: stack.up.pid("postgres"), bool, 20)
    return [server, *_children(server)]


def kill(pids: Sequence[int]) -> None:
    """All at once, so that nobody of them notices anything; who has killed itself is no mistake."""
    _send(pids, signal.SIGKILL)


@contextlib.contextmanager
def stopped(pids: Sequence[int]) -> Iterator[None]:
    """Processes that stand still for the length of the block; those that have stopped themselves too."""
    try:
        _send(pids, signal.SIGSTOP)
        until(lambda: [_state(pid) for pid in pids], lambda states: set(states) <= {"T", ""}, 5)
        yield
    finally:
        _send(list(reversed(pids)), signal.SIGCONT)


class HeldBack:
    """A lock behind which every try waits that is to be started or to be told the end of."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection
        self._connection.execute("LOCK TABLE sending_attempt IN SHARE MODE")

    def waiting(self, wanted: int) -> int:
        """How many statements wait for it, once they are so many or no more come."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            " AND query LIKE '%sending_attempt%'"
        )
        end = time.monotonic() + 4
        while True:
            row = self._connection.execute(query).fetchone()
            found = int(str(row[0])) if row else 0
            if found >= wanted or time.monotonic() > end:
                return min(found, wanted)
            # pg_stat_activity is read once to a transaction.
            self._connection.execute("SELECT pg_stat_clear_snapshot()")
            time.sleep(0.05)

    def let_go(self) -> None:
        """What waited goes on."""
        with contextlib.suppress(psycopg.Error):
            self._connection.rollback()


@contextlib.contextmanager
def held_back(url: str) -> Iterator[HeldBack]:
    """PostgreSQL takes the statements of a send and does not come to their end before it is let."""
    connection = psycopg.connect(url, connect_timeout=5)
    try:
        yield HeldBack(connection)
    finally:
        with contextlib.suppress(psycopg.Error):
            connection.close()


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _state(pid: int) -> str:
    """`T` for one that is stopped, empty for one that is gone."""
    return _stat(pid)[0]


def _children(parent: int) -> list[int]:
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _stat(int(entry.name))[1] == parent
    ]


def _stat(pid: int) -> tuple[str, int]:
    """(state, parent)."""
    try:
        words = (Path("/proc") / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return "", 0
    return words[0], int(words[1])
