"""The programs that ``bench tracking`` holds against each other, running, and what each run of one came to."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from truesend import env
from truesend.bench import load, machine
from truesend.bench.installation import await_true, migrate, program, truesend
from truesend.bench.load import Load
from truesend.bench.rows import BenchError, median
from truesend.runtime.keys import key_files
from truesend.runtime.postgres import Postgres
from truesend.tracking import tokens
from truesend.tracking.records import is_blank
from truesend.tracking.segments import listing

TOKENS = 20_000
LOADING = 120.0
"""Seconds after which hits that are not in the table count as stuck."""

_TARGET = "https://example.com/prices?utm_source=newsletter"


@dataclass
class Side:
    """One of the programs under load; ``database`` is the process id of the PostgreSQL that its hits reach."""

    port: int
    pid: int
    paths: Path
    database: int | None = None
    connections: int = load.CONNECTIONS
    runs: list[Load] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    database_cpu: list[float] = field(default_factory=list)

    def press(self, seconds: float) -> None:
        """One run."""
        before, database_before = machine.cpu_seconds(self.pid), self._database_seconds()
        run = load.press(self.port, self.paths, seconds, self.connections)
        self.runs.append(run)
        self.cpu.append((machine.cpu_seconds(self.pid) - before) * 1000 / run.answered)
        self.database_cpu.append((self._database_seconds() - database_before) * 1000 / run.answered)

    def _database_seconds(self) -> float:
        return 0.0 if self.database is None else machine.cpu_seconds(self.database)

    @property
    def per_second(self) -> float:
        """The median of the runs."""
        return median([run.per_second for run in self.runs])

    @property
    def p99_ms(self) -> float:
        """The median of the runs."""
        return median([run.p99_ms for run in self.runs])

    @property
    def cpu_ms(self) -> float:
        """Processor time of an answer: the program, its loader and PostgreSQL."""
        return median([sum(both) for both in zip(self.cpu, self.database_cpu, strict=True)])

    def with_connections(self, connections: int) -> Side:
        """The same program, for runs of their own."""
        return Side(self.port, self.pid, self.paths, self.database, connections)


@contextmanager
def database(data: Path) -> Iterator[Postgres]:
    """A PostgreSQL of its own with Truesend's tables, as ``truesend up`` runs it."""
    server = Postgres(data, say=lambda sentence: None)
    (data / "log").mkdir(mode=0o700, exist_ok=True)
    (data / "run").mkdir(mode=0o700, exist_ok=True)
    try:
        server.prepare()
        server.start()
        server.wait_ready()
        migrate(settings(data, server.url))
        yield server
    finally:
        server.stop()


def settings(data: Path, url: str) -> dict[str, str]:
    """What a tracker is told."""
    return {
        **key_files(data, {}),
        f"{env.PREFIX}DATA_DIR": str(data),
        f"{env.PREFIX}DATABASE_URL": url,
    }


@contextmanager
def programs(data: Path, server: Postgres) -> Iterator[tuple[Side, Side, Side]]:
    """The bare application and the tracker, running: what to ask of each."""
    tracker_port, bare_port = machine.free_ports(2)
    opens, clicks = _paths(data)
    tracker_log, bare_log = data / "log" / "tracker.log", data / "log" / "bare.log"
    bare_command = [sys.executable, "-P", "-m", "truesend.bench.bare", str(bare_port)]
    with (
        program(
            truesend("tracker", "--port", str(tracker_port)), tracker_log, **settings(data, server.url)
        ) as tracker,
        program(bare_command, bare_log) as bare,
    ):
        await_true(lambda: health(tracker_port) is not None, tracker, tracker_log, "The tracker", 30)
        await_true(lambda: _get(bare_port, "/") is not None, bare, bare_log, "The bare application", 30)
        yield (
            Side(bare_port, bare.pid, opens),
            Side(tracker_port, tracker.pid, opens, server.pid),
            Side(tracker_port, tracker.pid, clicks, server.pid),
        )


def _paths(data: Path) -> tuple[Path, Path]:
    """Files with the address paths of pixels and of links, each of another delivery."""
    keys = keys_of(data)
    deliveries: list[UUID] = [uuid4() for _ in range(TOKENS)]
    opens, clicks = data / "opens", data / "clicks"
    opens.write_text("".join(f"/t/o/{tokens.sign_open(keys, one)}.gif\n" for one in deliveries))
    clicks.write_text("".join(f"/t/c/{tokens.sign_click(keys, one, 0, _TARGET)}\n" for one in deliveries))
    return opens, clicks


def keys_of(data: Path) -> list[tuple[str, bytes]]:
    """The keys that sign links in a data folder."""
    name, _, secret = (data / "link_keys").read_text(encoding="ascii").strip().partition(":")
    return [(name, base64.b64decode(secret))]


def _get(port: int, path: str) -> bytes | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def health(port: int) -> dict[str, Any] | None:
    """What a tracker says of itself; ``None`` while it does not answer."""
    found = _get(port, "/healthz")
    return None if found is None else dict(json.loads(found))


def seconds_to_load(url: str, data: Path, port: int) -> float:
    """How long until every hit taken so far is in the table; :class:`BenchError` when some were lost."""
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        while not _all_loaded(connection, data / "tracking" / "segments"):
            if time.monotonic() - began > LOADING:
                raise BenchError(f"Hits were not in the table after {LOADING:.0f} s.")
            time.sleep(0.02)
    seconds = time.monotonic() - began
    said = health(port)
    if said is None or said["lost"]:
        raise BenchError(f"The tracker lost hits: {said}.")
    return seconds


def _all_loaded(connection: psycopg.Connection[tuple[Any, ...]], segments: Path) -> bool:
    """Whether each segment file is committed to its last record; those that are closed and committed are removed."""
    names = listing(segments)
    loaded = dict(connection.execute("SELECT segment, position FROM tracking_segmentoffset").fetchall())
    return all(_is_blank_from(segments / name, loaded.get(name, 0)) for name in names)


def _is_blank_from(segment: Path, position: int) -> bool:
    try:
        with segment.open("rb") as file:
            file.seek(position)
            return is_blank(file.read())
    except FileNotFoundError:
        return True
