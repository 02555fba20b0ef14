"""``bench send``: the worker with its PostgreSQL, against threads that make the same calls and nothing else.

Both speak to the same server, which answers everything after 50 ms, and their runs take turns in one session. What a
run took is read from the rows: from the first attempt's start to the last one's record.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from truesend.bench import machine
from truesend.bench.beside import Ground, ground, peak_mb
from truesend.bench.fixed import DELAY_SECONDS
from truesend.bench.rows import BenchError, Row, median

MAILBOXES = 64
TIMES = 10
RATIO = 0.25
CPU_MS = 6.0
GROWTH = 11.0
MEMORY_MB = 300.0
_PER_SECOND = 3
"""Emails per mailbox and second of ``--seconds``."""
_PATIENCE = 600.0
_POLL = 0.1
_DISSECTED = 60


@dataclass(frozen=True)
class _Run:
    """What one load came to."""

    emails: int
    seconds: float
    worker_cpu_ms: float
    postgres_cpu_ms: float
    commits: float
    median_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.emails / self.seconds


@dataclass
class _Bench:
    """Everything that runs, and what has been found so far."""

    ground: Ground
    seeder: subprocess.Popen[str]
    worker: int = 0
    ours: list[_Run] = field(default_factory=list)
    bare: list[dict[str, float]] = field(default_factory=list)

    def order(self, **what: int) -> dict[str, Any]:
        """Have the seeder do something, and wait for it."""
        assert self.seeder.stdin is not None
        assert self.seeder.stdout is not None
        self.seeder.stdin.write(json.dumps(what) + "\n")
        self.seeder.stdin.flush()
        answer = self.seeder.stdout.readline()
        if not answer:
            raise BenchError("The database could not be filled.")
        return dict(json.loads(answer))

    def send(self, mailboxes: int, each: int) -> _Run:
        """Make emails due and wait until the last outcome stands."""
        with psycopg.connect(self.ground.database, autocommit=True) as connection:
            began, commits = _one(connection, "SELECT clock_timestamp()"), _commits(connection)
            cpu = machine.cpu_seconds(self.worker), machine.cpu_seconds(self.ground.postgres)
            count = int(self.order(mailboxes=mailboxes, each=each)["emails"])
            seeded = machine.cpu_seconds(self.ground.postgres)
            self._wait(connection)
            worker = machine.cpu_seconds(self.worker) - cpu[0]
            postgres = machine.cpu_seconds(self.ground.postgres) - seeded
            found = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE outcome = 'ACCEPTED' AND number = 1),"
                " extract(epoch FROM max(finished_at) - min(started_at)),"
                " percentile_disc(0.5) WITHIN GROUP (ORDER BY milliseconds),"
                " percentile_disc(0.99) WITHIN GROUP (ORDER BY milliseconds)"
                " FROM sending_attempt WHERE started_at >= %s",
                [began],
            ).fetchone()
            assert found is not None
            tried, accepted, seconds, middle, high = found
            if not tried == accepted == count:
                raise BenchError(f"{count} emails were due; {tried} were tried, {accepted} accepted at once.")
            spent = _commits(connection) - commits
        return _Run(
            count,
            float(seconds),
            worker * 1000 / count,
            postgres * 1000 / count,
            spent / count,
            float(middle),
            float(high),
        )

    def _wait(self, connection: psycopg.Connection[Any]) -> None:
        until = time.monotonic() + _PATIENCE
        open_ones = (
            "SELECT EXISTS (SELECT FROM sending_delivery WHERE due_at IS NOT NULL)"
            " OR EXISTS (SELECT FROM sending_delivery WHERE status = 'sending')"
        )
        while _one(connection, open_ones):
            if time.monotonic() > until:
                raise BenchError(f"The emails were not all sent within {_PATIENCE:.0f} s.")
            time.sleep(_POLL)


def rows(*, seconds: float, runs: int) -> list[Row]:
    """Measure; ``runs`` loads of 3 emails per mailbox and second for each side in turn, then the tenfold load once."""
    each = max(2, round(_PER_SECOND * seconds))
    setup = {
        **machine.description(),
        "load": f"{MAILBOXES} mailboxes with {each} emails each, {runs} runs in turn, medians; HTML of 5 KB, 6 tracked"
        " links, 1 recipient, sending scope",
        "server": f"one process that answers each call after {DELAY_SECONDS * 1000:.0f} ms",
        "mark": f"urllib3 in {MAILBOXES} threads of one process, the same bytes to the same server",
        "worker": f"one process, {MAILBOXES} mailboxes at a time; PostgreSQL with fsync on",
    }
    with _running() as bench:
        spent = bench.order(dissect=_DISSECTED)
        with bench.ground.worker(MAILBOXES) as bench.worker:
            bench.send(MAILBOXES, 2)  # warm
            for _ in range(runs):
                bench.bare.append(bench.ground.mark(MAILBOXES * each, MAILBOXES))
                bench.ours.append(bench.send(MAILBOXES, each))
            large = bench.send(MAILBOXES * TIMES, each)
            after = bench.send(MAILBOXES, each)
            memory = peak_mb(bench.worker)
    return list(_rows(bench, large, (bench.ours[-1].seconds + after.seconds) / 2, memory, spent, setup))


def _rows(
    bench: _Bench, large: _Run, beside: float, memory: float, spent: dict[str, float], setup: dict[str, Any]
) -> Iterator[Row]:
    ours, bare = bench.ours, bench.bare
    rate, mark = median([run.per_second for run in ours]), median([run["per_second"] for run in bare])
    worker = median([run.worker_cpu_ms for run in ours])
    postgres = median([run.postgres_cpu_ms for run in ours])
    call = median([run["cpu_ms"] for run in bare])
    setup = {
        **setup,
        "send_runs_per_s": [round(run.per_second) for run in ours],
        "bare_runs_per_s": [round(run["per_second"]) for run in bare],
        "bare_p99_ms": round(median([run["p99_ms"] for run in bare]), 1),
        "cpu_ms_of_worker": round(worker, 2),
        "cpu_ms_of_postgres": round(postgres, 2),
        "spent_on": f"of the worker's {worker:.2f} ms: a bare call {call:.2f}, letter (tracking, text, MIME)"
        f" {spent['letter_ms']:.2f}, its side of {spent['statements']:.1f} statements {spent['database_ms']:.2f};"
        f" alone in one thread all of it {spent['sending_ms']:.2f}",
        "statements_per_email": round(spent["statements"], 2),
        "commits_per_email": round(median([run.commits for run in ours]), 2),
    }
    p99 = median([run.p99_ms for run in ours])
    middle = median([run.median_ms for run in ours])
    yield Row(
        name="send",
        ours=rate,
        unit="/s",
        limit=RATIO,
        limit_name="of the bare calls' rate, at least",
        at_least=True,
        ratio=rate / mark,
        compare=mark,
        cpu_ms=worker + postgres,
        p99_ms=p99,
        median_ms=middle,
        setup=setup,
    )
    yield Row(
        "send, processor time of worker and PostgreSQL",
        worker + postgres,
        "ms",
        CPU_MS,
        "ms an email, at most",
        cpu_ms=worker + postgres,
        p99_ms=p99,
        setup=setup,
    )
    yield Row(
        f"send, {TIMES} times the mailboxes and emails",
        large.seconds / beside,
        "times as long",
        GROWTH,
        "times, at most",
        cpu_ms=large.worker_cpu_ms + large.postgres_cpu_ms,
        p99_ms=large.p99_ms,
        median_ms=large.median_ms,
        setup={
            **setup,
            "tenfold": f"{large.emails:,} emails in {large.seconds:.1f} s, {large.per_second:.0f}/s",
        },
    )
    yield Row(
        "send, the worker's memory at its highest",
        memory,
        "MB",
        MEMORY_MB,
        "MB, at most",
        p99_ms=p99,
        setup=setup,
    )


@contextmanager
def _running() -> Iterator[_Bench]:
    """PostgreSQL, the server and the seeder."""
    with ground() as made, _seeder(made.settings(MAILBOXES)) as seeder:
        yield _Bench(made, seeder)


@contextmanager
def _seeder(settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "truesend.bench.seed"],
        env=machine.clean_environment(**settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _one(connection: psycopg.Connection[Any], sql: str) -> Any:
    found = connection.execute(sql.encode()).fetchone()
    assert found is not None
    return found[0]


def _commits(connection: psycopg.Connection[Any]) -> int:
    return int(
        _one(connection, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
    )
