"""Killing and stopping: of a worker, and of PostgreSQL with every process of it, as a crash does."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

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


def kill_postgres(stack: Stack) -> None:
    """All at once, so that nobody of it notices anything."""
    with contextlib.suppress(ProcessLookupError):
        for pid in postgres(stack):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def stopped(pids: Sequence[int], *, already: bool = False) -> Iterator[None]:
    """Processes that stand still for the length of the block; ``already``: they stop themselves."""
    try:
        if not already:
            _send(pids, signal.SIGSTOP)
        until(lambda: [_state(pid) for pid in pids], lambda states: set(states) <= {"T", ""}, 5)
        yield
    finally:
        _send(list(reversed(pids)), signal.SIGCONT)


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
