"""PostgreSQL: whether it answers, is of this version of Truesend, has room for our connections, and a worker beats in
it. Asked without Django, so that the answers come whatever else is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import psycopg

from truesend import clock, env
from truesend.diagnostics.findings import Finding, Fix, ok, warning, wrong
from truesend.env import PREFIX
from truesend.runtime import schema

Connection = psycopg.Connection[tuple[Any, ...]]

_OLDEST = 14  # of Django 5.2
_PATIENCE = 5
_SKEW_SECONDS = 5
_BEATS_SECONDS = 10
# Connections besides those of threads (design, budget): web, worker, tracker; each listens with one more.
_WEB_MORE, _WORKER_MORE, _TRACKER, _LISTENER, _US = 4, 4, 2, 1, 1


@contextmanager
def connected() -> Iterator[Connection]:
    """A connection of our own. Raises what psycopg raises."""
    with psycopg.connect(env.database_url(), connect_timeout=_PATIENCE, autocommit=True) as connection:
        yield connection


def unreachable(error: Exception, data: Path, *, embedded: bool) -> Finding:
    """The database does not answer."""
    lines = str(error).strip().splitlines()
    words = lines[-1].strip() if lines else type(error).__name__
    if embedded:
        return wrong(
            "database",
            f"The database in {data} does not answer: {words}.".replace("..", "."),
            Fix(
                f"Start Truesend, which starts it; {data / 'log' / 'postgres.log'} tells what it said last.",
                command=f"truesend up --data {data}",
            ),
        )
    return wrong(
        "database",
        f"The database of {PREFIX}DATABASE_URL does not answer: {words}.".replace("..", "."),
        Fix(f"Start that PostgreSQL, or correct {PREFIX}DATABASE_URL and start Truesend again."),
    )


def none_named(data: Path) -> Finding:
    """Neither a setting nor a running Truesend names a database."""
    return wrong(
        "database",
        f"Truesend is not running on {data}, and {PREFIX}DATABASE_URL is not set.",
        Fix(
            f"Start it; or set {PREFIX}DATA_DIR to the folder that it runs on, or {PREFIX}DATABASE_URL.",
            command=f"truesend up --data {data}",
        ),
    )


def database(connection: Connection) -> Finding:
    """It answers: its version, and whether its clock is ours."""
    row = connection.execute("SHOW server_version_num").fetchone()
    number = int(row[0]) if row is not None else 0
    version = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < _OLDEST * 10_000:
        return wrong(
            "database",
            f"{version} is too old; Truesend needs {_OLDEST} or newer.",
            Fix(f"Move the database to PostgreSQL {_OLDEST} or newer."),
        )
    told = connection.execute("SELECT clock_timestamp()").fetchone()
    skew = abs((told[0].astimezone(UTC) - clock.real_now()).total_seconds()) if told is not None else 0.0
    if skew > _SKEW_SECONDS:
        return warning(
            "database",
            f"{version} answers, and its clock is {skew:.0f} s apart from that of this machine.",
            Fix("Have both machines set their clocks by the network.", command="timedatectl set-ntp true"),
        )
    return ok("database", f"{version} answers.")


def migrations() -> Finding:
    """Whether this version of Truesend prepared it."""
    if schema.is_current(env.database_url()):
        return ok("migrations", "The database is that of this version of Truesend.")
    return wrong(
        "migrations",
        "The database was prepared by another version of Truesend, or not at all.",
        Fix("Bring it to this version; starting truesend up does so too.", command="truesend migrate"),
    )


def budget(connection: Connection) -> Finding:
    """Whether PostgreSQL takes as many connections as the parts may open (design, §3)."""
    limit = _number(connection, "max_connections")
    kept = _number(connection, "superuser_reserved_connections") + _number(connection, "reserved_connections")
    workers = max(1, len(_workers(connection)))
    web = env.number("WEB_THREADS") + _WEB_MORE + _LISTENER
    worker = env.number("WORKER_CONCURRENCY") + _WORKER_MORE + _LISTENER
    need, room = web + worker * workers + _TRACKER + _LISTENER + _US, limit - kept
    told = f"{need} connections may be opened by web, {workers} worker{'s' * (workers > 1)} and tracker"
    if need <= room:
        return ok("connections", f"{told}, and PostgreSQL takes {room}.")
    return wrong(
        "connections",
        f"{told}, and PostgreSQL takes {room}: the last ones are refused.",
        Fix(
            f"Have it take more and start PostgreSQL again, or lower {PREFIX}WORKER_CONCURRENCY or "
            f"{PREFIX}WEB_THREADS.",
            command=f'psql "${PREFIX}DATABASE_URL" -c "ALTER SYSTEM SET max_connections = {need + kept + 10}"',
        ),
    )


def _number(connection: Connection, name: str) -> int:
    row = connection.execute("SELECT setting FROM pg_settings WHERE name = %s", [name]).fetchone()
    return int(row[0]) if row is not None else 0


def _workers(connection: Connection) -> list[float]:
    """Seconds since each living worker's last beat, by the database's clock."""
    if missing(connection, "sending_worker"):
        return []
    rows = connection.execute(
        "SELECT extract(epoch FROM clock_timestamp() - beat_at) FROM sending_worker"
        " WHERE beat_at > clock_timestamp() - make_interval(secs => %s)",
        [_BEATS_SECONDS],
    )
    return [float(row[0]) for row in rows]


def worker(connection: Connection, data: Path, *, running: bool) -> Finding:
    """Whether a worker beats: without one nothing is sent and no key is renewed."""
    living = _workers(connection)
    if living:
        count = "One worker works" if len(living) == 1 else f"{len(living)} workers work"
        return ok("worker", f"{count}; the last sign of life is {max(0.0, min(living)):.0f} s old.")
    log = data / "log" / "worker.log"
    if running:
        return wrong(
            "worker",
            "No worker shows life: nothing is sent, and no connection is renewed.",
            Fix(
                f"Its log, {log}, tells why it does not start. Then start Truesend again.",
                command=f"tail {log}",
            ),
        )
    return wrong(
        "worker",
        "No worker runs: nothing is sent, and no connection is renewed.",
        Fix("Start one, and keep it running.", command="truesend worker"),
    )


def missing(connection: Connection, table: str) -> bool:
    """Whether there is no such table yet."""
    row = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
    return row is None or row[0] is None
