"""Many processes that need the same keys in the same instant: each key is renewed by one call, and none dies of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from tests import up
from tests.stack import Stack, until
from tests.storms.ground import Rows

PROVIDER = "keap"
# Of one process; a key that somebody else renews is waited for.
_THREADS = 4
_EACH = 50
_PATIENCE = 240.0


@dataclass
class Books:
    """What a race came to."""

    connections: int
    processes: int
    calls: int
    dead: int
    # Keys that a process got and the others did not, and those that the provider does not take.
    apart: int
    refused: int
    failures: list[str]
    seconds: float

    def shortfalls(self) -> list[str]:
        """Empty when every key was renewed once and everybody has it."""
        short = list(self.failures[:5])
        if self.calls != self.connections:
            short.append(f"{self.calls} calls for {self.connections} connections")
        for name in ("dead", "apart", "refused"):
            if number := getattr(self, name):
                short.append(f"{number} {name}")
        return short

    def __str__(self) -> str:
        return (
            f"{self.processes} processes, {self.connections} connections: {self.calls} calls, {self.dead} dead grants"
            f" ({self.seconds:.0f} s)"
        )


def connect(stack: Stack, count: int) -> list[str]:
    """So many connections of a provider whose refresh tokens work once; some to a person."""
    found: list[str] = []
    while len(found) < count:
        person = stack.person()
        for number in range(min(_EACH, count - len(found))):
            found.append(person.connect(f"race{number}.{person.email}", provider=PROVIDER)["id"])
    return found


def race(stack: Stack, connections: Sequence[str], processes: int) -> Books:
    """All keys run out in one instant; the installation's worker renews them, and so many processes need each now."""
    rows = Rows(stack)
    until(
        lambda: rows.ask("SELECT count(*) FROM connections_token WHERE probe_due_at < now()"),
        lambda found: found[0][0] == 0,
        120,
    )
    rows.ask("UPDATE connections_token SET probe_due_at = now() + interval '300 days' RETURNING 1")
    before = len(stack.sandbox.calls(provider=PROVIDER, operation="token.refresh"))
    settings = json.loads((stack.up.data / "run" / "settings.json").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "tests.storms.racer", str(_THREADS)]
    with contextlib.ExitStack() as ended:
        runners = [ended.enter_context(_runner(command, settings)) for _ in range(processes)]
        for runner in runners:
            assert runner.stdout is not None
            assert runner.stdout.readline() == "ready\n"
        with psycopg.connect(rows.url()) as database:
            database.execute(
                "UPDATE connections_token SET due_at = '2020-01-01', access_expires_at = '2020-01-01'"
                " WHERE connection_id = ANY(%s::uuid[])",
                [list(connections)],
            )
        began = time.monotonic()
        for runner in runners:
            assert runner.stdin is not None
            runner.stdin.write(json.dumps(list(connections)) + "\n")
            runner.stdin.flush()
        told = [json.loads(runner.communicate(timeout=_PATIENCE)[0]) for runner in runners]
    seconds = time.monotonic() - began
    got = [{by_process[one] for by_process in told} for one in connections]
    return Books(
        connections=len(connections),
        processes=processes,
        calls=len(stack.sandbox.calls(provider=PROVIDER, operation="token.refresh")) - before,
        dead=_dead(rows),
        apart=sum(len(keys) != 1 for keys in got),
        refused=sum(by_process["refused"] for by_process in told),
        failures=[words for by_process in told for words in by_process["failures"]],
        seconds=seconds,
    )


@contextlib.contextmanager
def _runner(command: Sequence[str], settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    environment = up.environment({**settings, "PYTHONPATH": str(up.ROOT)})
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=up.ROOT
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _dead(rows: Rows) -> int:
    found: list[tuple[Any, ...]] = rows.ask(
        "SELECT count(*) FROM connections_token WHERE dead_at IS NOT NULL"
    )
    return int(found[0][0])


def settings() -> dict[str, str]:
    """For an installation that serves so many."""
    return {"TRUESEND_WORKER_CONCURRENCY": "8", "TRUESEND_WEB_THREADS": "8"}
