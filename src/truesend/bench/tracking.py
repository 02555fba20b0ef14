"""``bench tracking``: the tracker with its files, its loader and PostgreSQL, against a bare application.

Both run under the same server; their runs take turns in one session. Every request asks for another delivery's token,
so that each hit becomes a row of its own.
"""

from __future__ import annotations

import base64
import json
import secrets
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
from truesend.bench.installation import await_true, data_folder, migrate, program, truesend
from truesend.bench.load import Load
from truesend.bench.rows import BenchError, Row, median
from truesend.runtime.keys import key_files
from truesend.runtime.postgres import Postgres
from truesend.tracking import tokens
from truesend.tracking.records import is_blank
from truesend.tracking.segments import listing

RATIO = 0.45
P99_MS = 25.0
TOKENS = 20_000
ONCE = 20_000
LOADING = 120.0
"""Seconds after which hits that are not in the table count as stuck."""

_TARGET = "https://example.com/prices?utm_source=newsletter"


@dataclass
class _Side:
    """One of the two programs under load."""

    port: int
    pid: int
    paths: Path
    runs: list[Load] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def press(self, seconds: float) -> None:
        before = machine.cpu_seconds(self.pid)
        run = load.press(self.port, self.paths, seconds)
        self.runs.append(run)
        self.cpu.append((machine.cpu_seconds(self.pid) - before) * 1000 / run.answered)

    @property
    def per_second(self) -> float:
        return median([run.per_second for run in self.runs])


def rows(*, seconds: float, runs: int) -> list[Row]:
    """Measure; ``runs`` of ``seconds`` each for the bare application, opens and clicks in turn."""
    setup = {
        **machine.description(),
        "load": f"{load.generator()}, {runs} runs of {seconds:g} s in turn, medians",
        "mark": "ASGI application answering 43 bytes under the same server (uvicorn, uvloop, httptools)",
        "tracker": "one process; file synced before each answer; loader and PostgreSQL (fsync on) running",
    }
    with data_folder() as data, _database(data) as url, _programs(data, url) as (bare, opens, clicks):
        for side in (bare, opens, clicks):
            load.press(side.port, side.paths, 1)  # warm
        for _ in range(runs):
            for side in (bare, opens, clicks):
                side.press(seconds)
        answered = sum(run.answered for side in (opens, clicks) for run in side.runs)
        setup["loaded_after_s"] = round(_seconds_to_load(url, data, opens.port), 2)
        setup["hits"] = f"{answered:,} answered in the measured runs"
        measured = [_row("opens", opens, bare, setup), _row("clicks", clicks, bare, setup)]
        return [*measured, *_once(url, data, opens, setup)]


def _row(name: str, side: _Side, bare: _Side, setup: dict[str, Any]) -> Row:
    return Row(
        name=f"tracking {name}",
        ours=side.per_second,
        unit="/s",
        limit=RATIO,
        limit_name="of the bare application's rate, at least",
        at_least=True,
        ratio=side.per_second / bare.per_second,
        compare=bare.per_second,
        cpu_ms=median(side.cpu),
        p99_ms=median([run.p99_ms for run in side.runs]),
        setup={
            **setup,
            f"{name}_runs_per_s": [round(run.per_second) for run in side.runs],
            "bare_runs_per_s": [round(run.per_second) for run in bare.runs],
            "bare_cpu_ms": round(median(bare.cpu), 3),
        },
    )


def _once(url: str, data: Path, opens: _Side, setup: dict[str, Any]) -> Iterator[Row]:
    """Every answered hit is in the table, once: each has a name of its own, and names are counted."""
    p99 = median([run.p99_ms for run in opens.runs])
    yield Row("tracking opens, p99", p99, "ms", P99_MS, "ms at most", p99_ms=p99, setup=setup)
    agent = f"bench-{secrets.token_hex(4)}"
    answered = load.each_once(opens.port, opens.paths, ONCE, agent)
    _seconds_to_load(url, data, opens.port)
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*), coalesce(sum(hits), 0), coalesce(max(hits), 0) FROM (SELECT sum(count) AS hits "
            "FROM tracking_hit WHERE user_agent LIKE %s GROUP BY user_agent) AS named",
            [f"{agent}-%"],
        ).fetchone()
    assert found is not None
    names, hits, most = (int(one) for one in found)
    wrong = (answered - names) + (hits - names)
    yield Row(
        name="tracking, hits answered and not in the table exactly once",
        ours=wrong,
        unit="hits",
        limit=0,
        limit_name="at most",
        setup={
            **setup,
            "once": f"{answered:,} answered, {names:,} in the table, each at most {most} time(s)",
        },
    )


@contextmanager
def _database(data: Path) -> Iterator[str]:
    server = Postgres(data, say=lambda sentence: None)
    (data / "log").mkdir(mode=0o700, exist_ok=True)
    (data / "run").mkdir(mode=0o700, exist_ok=True)
    try:
        server.prepare()
        server.start()
        server.wait_ready()
        migrate(_settings(data, server.url))
        yield server.url
    finally:
        server.stop()


def _settings(data: Path, url: str) -> dict[str, str]:
    return {
        **key_files(data, {}),
        f"{env.PREFIX}DATA_DIR": str(data),
        f"{env.PREFIX}DATABASE_URL": url,
    }


@contextmanager
def _programs(data: Path, url: str) -> Iterator[tuple[_Side, _Side, _Side]]:
    """The bare application and the tracker, running: what to ask of each."""
    tracker_port, bare_port = machine.free_ports(2)
    opens, clicks = _paths(data)
    tracker_log, bare_log = data / "log" / "tracker.log", data / "log" / "bare.log"
    bare_command = [sys.executable, "-P", "-m", "truesend.bench.bare", str(bare_port)]
    with (
        program(
            truesend("tracker", "--port", str(tracker_port)), tracker_log, **_settings(data, url)
        ) as tracker,
        program(bare_command, bare_log) as bare,
    ):
        await_true(lambda: _health(tracker_port) is not None, tracker, tracker_log, "The tracker", 30)
        await_true(lambda: _get(bare_port, "/") is not None, bare, bare_log, "The bare application", 30)
        yield (
            _Side(bare_port, bare.pid, opens),
            _Side(tracker_port, tracker.pid, opens),
            _Side(tracker_port, tracker.pid, clicks),
        )


def _paths(data: Path) -> tuple[Path, Path]:
    """Files with the address paths of pixels and of links, each of another delivery."""
    name, _, secret = (data / "link_keys").read_text(encoding="ascii").strip().partition(":")
    keys = [(name, base64.b64decode(secret))]
    deliveries: list[UUID] = [uuid4() for _ in range(TOKENS)]
    opens, clicks = data / "opens", data / "clicks"
    opens.write_text("".join(f"/t/o/{tokens.sign_open(keys, one)}.gif\n" for one in deliveries))
    clicks.write_text("".join(f"/t/c/{tokens.sign_click(keys, one, 0, _TARGET)}\n" for one in deliveries))
    return opens, clicks


def _get(port: int, path: str) -> bytes | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _health(port: int) -> dict[str, Any] | None:
    found = _get(port, "/healthz")
    return None if found is None else dict(json.loads(found))


def _seconds_to_load(url: str, data: Path, port: int) -> float:
    """How long until every hit taken so far is in the table; :class:`BenchError` when some were lost."""
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        while not _all_loaded(connection, data / "tracking" / "segments"):
            if time.monotonic() - began > LOADING:
                raise BenchError(f"Hits were not in the table after {LOADING:.0f} s.")
            time.sleep(0.02)
    seconds = time.monotonic() - began
    health = _health(port)
    if health is None or health["lost"]:
        raise BenchError(f"The tracker lost hits: {health}.")
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
