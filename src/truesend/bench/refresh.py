"""``bench refresh``: thousands of keys due at once, against threads that make the same calls and nothing else.

Both have 24 calls in flight, speak to the same server, which answers everything after 50 ms, and take turns in one
session. What a run took is from the moment at which all are due until the last one is renewed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from truesend.bench import machine
from truesend.bench.beside import Ground, ground, peak_mb
from truesend.bench.fixed import DELAY_SECONDS
from truesend.bench.rows import BenchError, Row, median

AT_ONCE = 24
RATIO = 0.6
# A key that works once takes a commit and a file on the disk more.
ONCE_RATIO = 0.4
CPU_MS = 5.0
GROWTH, TIMES = 1.2, 10
_PER_SECOND = 2_000
"""Connections per second of ``--seconds``."""
_CONCURRENCY = 16
_PATIENCE = 900.0
_POLL = 0.05


@dataclass(frozen=True)
class _Run:
    """What one load came to."""

    count: int
    seconds: float
    worker_cpu_ms: float
    postgres_cpu_ms: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_ms(self) -> float:
        return self.worker_cpu_ms + self.postgres_cpu_ms


@dataclass
class _Bench:
    """What has been found so far of one provider."""

    ground: Ground
    # Of providers: one whose refresh tokens stay, or one whose refresh tokens work once.
    kind: str
    count: int
    provider: str = ""
    ours: list[_Run] = field(default_factory=list)
    bare: list[dict[str, float]] = field(default_factory=list)

    def seed(self) -> None:
        """Make the connections."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "truesend.bench.seed_tokens", self.kind, str(self.count)],
            env=machine.clean_environment(**self.ground.settings(1)),
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        if done.returncode != 0:
            raise BenchError(f"The database could not be filled: {done.stderr.strip()[-300:]}")
        self.provider = done.stdout.strip()

    def renew(self, worker: int, count: int) -> _Run:
        """Make so many due in one instant, and wait until all are renewed."""
        with psycopg.connect(self.ground.database, autocommit=True) as connection:
            connection.execute("ANALYZE connections_token")
            before = _renewed(connection, self.provider)
            cpu = machine.cpu_seconds(worker)
            connection.execute(
                "UPDATE connections_token SET due_at = now() WHERE connection_id IN"
                " (SELECT connection_id FROM connections_token WHERE provider = %s LIMIT %s)",
                [self.provider, count],
            )
            began, postgres = time.monotonic(), machine.cpu_seconds(self.ground.postgres)
            until = began + _PATIENCE
            while (done := _renewed(connection, self.provider) - before) < count:
                if time.monotonic() > until:
                    raise BenchError(f"Only {done} of {count} keys were renewed in {_PATIENCE:.0f} s.")
                time.sleep(_POLL)
            seconds = time.monotonic() - began
            if done != count or _failed(connection):
                raise BenchError(f"{count} keys were due; {done} renewals are noted, some of them failed.")
        return _Run(
            count,
            seconds,
            (machine.cpu_seconds(worker) - cpu) * 1000 / count,
            (machine.cpu_seconds(self.ground.postgres) - postgres) * 1000 / count,
        )

    def measure(self, runs: int) -> float:
        """Both sides in turn; returns the worker's peak memory in MB."""
        self.seed()
        self.ground.first.unlink(missing_ok=True)
        with self.ground.worker(_CONCURRENCY) as worker:
            self.renew(worker, min(self.count, 2 * AT_ONCE))  # warm
            for _ in range(runs):
                self.bare.append(self.ground.mark(self.count, AT_ONCE))
                self.ours.append(self.renew(worker, self.count))
            return peak_mb(worker)


def _renewed(connection: psycopg.Connection[Any], provider: str) -> int:
    """Renewals that are noted, by counting what they changed: cheap enough to be asked all the time."""
    found = connection.execute(
        "SELECT coalesce(sum(version), 0) FROM connections_token WHERE provider = %s", [provider]
    ).fetchone()
    assert found is not None
    return int(found[0])


def _failed(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute("SELECT EXISTS (SELECT FROM connections_proof WHERE NOT ok)").fetchone()
    assert found is not None
    return bool(found[0])


def rows(*, seconds: float, runs: int) -> list[Row]:
    """Measure; 2,000 connections per second of ``seconds`` and run, of each of two providers."""
    count = max(2 * TIMES, round(_PER_SECOND * seconds))
    setup = {
        **machine.description(),
        "load": f"{count:,} keys due in one instant, {runs} runs in turn, medians",
        "server": f"one process that answers each call after {DELAY_SECONDS * 1000:.0f} ms",
        "mark": f"urllib3 in {AT_ONCE} threads of one process, the same bytes to the same server",
        "worker": f"one process, {AT_ONCE} renewals in flight; PostgreSQL with fsync on",
    }
    with ground() as made:
        bench, once = _Bench(made, "stays", count), _Bench(made, "once", count)
        memory = bench.measure(runs)
        with made.worker(_CONCURRENCY) as worker:
            bench.renew(worker, count // TIMES)
            little = peak_mb(worker)
        once.measure(runs)
    return list(_rows(bench, once, memory, little, setup))


def _rows(bench: _Bench, once: _Bench, memory: float, little: float, setup: dict[str, Any]) -> Iterator[Row]:
    for one, name, least in (
        (bench, "refresh", RATIO),
        (once, "refresh, keys that work once", ONCE_RATIO),
    ):
        ours, mark = (
            median([run.per_second for run in one.ours]),
            median([run["per_second"] for run in one.bare]),
        )
        told = {
            **setup,
            "refresh_runs_per_s": [round(run.per_second) for run in one.ours],
            "bare_runs_per_s": [round(run["per_second"]) for run in one.bare],
            "bare_p99_ms": round(median([run["p99_ms"] for run in one.bare]), 1),
            "bare_cpu_ms": round(median([run["cpu_ms"] for run in one.bare]), 2),
            "cpu_ms_of_worker": round(median([run.worker_cpu_ms for run in one.ours]), 2),
            "cpu_ms_of_postgres": round(median([run.postgres_cpu_ms for run in one.ours]), 2),
        }
        cpu = median([run.cpu_ms for run in one.ours])
        yield Row(
            name,
            ours,
            "/s",
            least,
            "of the bare calls' rate, at least",
            at_least=True,
            ratio=ours / mark,
            compare=mark,
            cpu_ms=cpu,
            setup=told,
        )
        yield Row(
            f"{name}, processor time of worker and PostgreSQL",
            cpu,
            "ms",
            CPU_MS,
            "ms a renewal, at most",
            cpu_ms=cpu,
            setup=told,
        )
    yield Row(
        "refresh, the worker's memory at its highest",
        memory / little,
        "times that of a tenth",
        GROWTH,
        "times, at most",
        setup={**setup, "memory": f"{memory:.0f} MB; {little:.0f} MB with {bench.count // TIMES:,} due"},
    )
