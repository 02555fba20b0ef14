"""``bench tracking``: the tracker with its files, its loader and PostgreSQL, against a bare application.

Both run under the same server; their runs take turns in one session. Every request asks for another delivery's token,
so that each hit becomes a row of its own.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from truesend import env
from truesend.bench import filled, lag, load, machine, nginx
from truesend.bench.installation import await_true, data_folder, migrate, program, truesend
from truesend.bench.rows import Row, median
from truesend.bench.trackers import Side, database, health, keys_of, programs, seconds_to_load, settings
from truesend.runtime.postgres import Postgres
from truesend.tracking import tokens

RATIO = 0.45
P99_MS = 25.0
MANY_CONNECTIONS = 256
LAG_MS = 1000.0
FILLED_RATIO = 0.9
FIGURE_SECONDS = 3.0
"""Runs shorter than this show that the bench works; they are not worth ten million rows."""

ONCE = 20_000


def rows(*, seconds: float, runs: int) -> list[Row]:
    """Measure; ``runs`` of ``seconds`` each for the bare application, opens and clicks in turn."""
    setup = {
        **machine.description(),
        "load": f"{load.generator()}, {runs} runs of {seconds:g} s in turn, medians",
        "mark": "ASGI application answering 43 bytes under the same server (uvicorn, uvloop, httptools)",
        "tracker": "one process; file synced before each answer; loader and PostgreSQL (fsync on) running",
    }
    with data_folder() as data, database(data) as server, programs(data, server) as sides:
        bare, opens, clicks = sides
        many = [side.with_connections(MANY_CONNECTIONS) for side in sides]
        for side in sides:
            load.press(side.port, side.paths, 1)  # warm
        _take_turns([*sides, *many], seconds, runs)
        answered = sum(run.answered for side in (opens, clicks, *many[1:]) for run in side.runs)
        setup["loaded_after_s"] = round(seconds_to_load(server.url, data, opens.port), 2)
        setup["hits"] = f"{answered:,} answered in the measured runs"
        found = [_row("opens", opens, bare, setup), _row("clicks", clicks, bare, setup)]
        found.append(
            Row(
                "tracking opens, p99",
                opens.p99_ms,
                "ms",
                P99_MS,
                "ms at most",
                p99_ms=opens.p99_ms,
                setup=setup,
            )
        )
        found += [_row("opens", many[1], many[0], setup), _row("clicks", many[2], many[0], setup)]
        found.append(_lag(server.url, data, opens, seconds, setup))
        found.append(_beside_nginx(data, opens, seconds, runs, setup))
        found += _once(server.url, data, opens, setup)
        found.append(_filled(data, server, opens, seconds, runs, setup))
        return found


def _take_turns(sides: Sequence[Side], seconds: float, runs: int) -> None:
    for _ in range(runs):
        for side in sides:
            side.press(seconds)


def _row(name: str, side: Side, bare: Side, setup: dict[str, Any]) -> Row:
    crowd = "" if side.connections == load.CONNECTIONS else f", {side.connections} connections"
    return Row(
        name=f"tracking {name}{crowd}",
        ours=side.per_second,
        unit="/s",
        limit=RATIO,
        limit_name="of the bare application's rate, at least",
        at_least=True,
        ratio=side.per_second / bare.per_second,
        compare=bare.per_second,
        cpu_ms=side.cpu_ms,
        p99_ms=side.p99_ms,
        setup={
            **setup,
            f"{name}_runs_per_s{crowd}": [round(run.per_second) for run in side.runs],
            f"bare_runs_per_s{crowd}": [round(run.per_second) for run in bare.runs],
            f"{name}_cpu_ms{crowd}": f"{median(side.cpu):.3f} tracker and loader,"
            f" {median(side.database_cpu):.3f} PostgreSQL",
            f"bare_cpu_ms{crowd}": round(median(bare.cpu), 3),
        },
    )


def _lag(url: str, data: Path, opens: Side, seconds: float, setup: dict[str, Any]) -> Row:
    """How long after its answer a hit is in the table, with as many others as the tracker takes."""
    keys = keys_of(data)
    found = lag.milliseconds(
        url,
        opens.port,
        lambda delivery: f"/t/o/{tokens.sign_open(keys, delivery)}.gif",
        lambda: load.press(opens.port, opens.paths, max(seconds, 2.0)),
    )
    return Row(
        name="tracking, from an answer under load to its row in PostgreSQL",
        ours=max(found),
        unit="ms",
        limit=LAG_MS,
        limit_name="ms at most",
        median_ms=median(found),
        setup={**setup, "looked_for": f"{len(found)} hits, the slowest counts"},
    )


def _beside_nginx(data: Path, opens: Side, seconds: float, runs: int, setup: dict[str, Any]) -> Row:
    """For comparison: a program that answers a pixel and keeps nothing."""
    row = Row(
        "tracking opens, beside nginx's empty_gif",
        opens.per_second,
        "/s",
        0.0,
        "told, no limit",
        at_least=True,
    )
    program_file = nginx.found()
    if program_file is None:
        return replace(row, setup={**setup, "nginx": "not installed: nothing to compare with"})
    with nginx.running(program_file, data) as port:
        side = Side(port, os.getpid(), opens.paths)
        _take_turns([side], seconds, runs)
    return replace(
        row,
        ratio=opens.per_second / side.per_second,
        compare=side.per_second,
        setup={**setup, "nginx_runs_per_s": [round(run.per_second) for run in side.runs]},
    )


def _filled(
    data: Path, server: Postgres, opens: Side, seconds: float, runs: int, setup: dict[str, Any]
) -> Row:
    """The same with a table that has many rows, in turn with the one that has few."""
    count = filled.MANY if seconds >= FIGURE_SECONDS else filled.FEW
    url = filled.make_database(server.url)
    folder = data / "filled"
    folder.mkdir()
    migrate(settings(data, url))
    filled.fill(url, count)
    log = data / "log" / "filled.log"
    (port,) = machine.free_ports(1)
    told = {**settings(data, url), f"{env.PREFIX}DATA_DIR": str(folder)}
    with program(truesend("tracker", "--port", str(port)), log, **told) as tracker:
        await_true(lambda: health(port) is not None, tracker, log, "The second tracker", 30)
        full = Side(port, tracker.pid, opens.paths, server.pid)
        empty = opens.with_connections(opens.connections)
        load.press(port, full.paths, 1)  # warm
        _take_turns([empty, full], seconds, runs)
        behind = seconds_to_load(url, folder, port)
    return Row(
        name=f"tracking opens, {count:,} rows in the table",
        ours=full.per_second,
        unit="/s",
        limit=FILLED_RATIO,
        limit_name="of the rate with an empty one, at least",
        at_least=True,
        ratio=full.per_second / empty.per_second,
        compare=empty.per_second,
        cpu_ms=full.cpu_ms,
        p99_ms=full.p99_ms,
        setup={
            **setup,
            "filled_runs_per_s": [round(run.per_second) for run in full.runs],
            "empty_runs_per_s": [round(run.per_second) for run in empty.runs],
            "filled_cpu_ms": f"{full.cpu_ms:.3f}, with the empty one {empty.cpu_ms:.3f}",
            "filled_loaded_after_s": round(behind, 2),
        },
    )


def _once(url: str, data: Path, opens: Side, setup: dict[str, Any]) -> Iterator[Row]:
    """Every answered hit is in the table, once: each has a name of its own, and names are counted."""
    agent = f"bench-{secrets.token_hex(4)}"
    answered = load.each_once(opens.port, opens.paths, ONCE, agent)
    seconds_to_load(url, data, opens.port)
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
