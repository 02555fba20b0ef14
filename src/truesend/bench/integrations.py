"""The page of integrations where one organization has two hundred connections, each of them asked and answered."""

from __future__ import annotations

import itertools
import time
from typing import Any

from truesend.bench import machine
from truesend.bench.installation import Installation, data_folder
from truesend.bench.rows import Row, median, percentile
from truesend.bench.visitor import Visitor, until
from truesend.providers.registry import PROVIDERS

LIMIT_MS = 100.0
CONNECTIONS = 200
_LEAST_ROUNDS = 60


def rows(*, seconds: float, runs: int, connections: int = CONNECTIONS) -> list[Row]:
    """Connect so many accounts, let all be proved, and ask for the page ``runs`` times ``seconds``."""
    setup: dict[str, Any] = {
        **machine.description(),
        "installation": f"truesend up --sandbox; one organization, {connections} connections",
    }
    with data_folder() as data:
        installation = Installation(data)
        with installation.running():
            ana = Visitor(installation.port, installation.sandbox_port)
            ana.sign_up()
            providers = itertools.cycle(PROVIDERS)
            for number in range(connections):
                ana.connect(next(providers), f"sales{number}@northwind.example")
            until(
                lambda: ana.api("GET", "connections")["items"],
                lambda found: len(found) == connections and all(one["cause"] == "not_tried" for one in found),
                120,
                "The connections were not asked",
            )
            ana.rested()
            _measure(ana, 0)  # warm
            web = installation.pid("web")
            before = machine.cpu_seconds(web)
            times = _measure(ana, seconds * runs)
            cpu = machine.cpu_seconds(web) - before
    return [
        Row(
            name=f"/integration, {connections} connections",
            ours=percentile(times, 95),
            unit="ms",
            limit=LIMIT_MS,
            limit_name="ms at most for 95 of 100",
            cpu_ms=cpu * 1000 / len(times),
            p99_ms=percentile(times, 99),
            median_ms=median(times),
            setup={**setup, "times_each": len(times)},
        )
    ]


def _measure(ana: Visitor, seconds: float) -> list[float]:
    """Milliseconds of each answer, asked for one at a time."""
    times: list[float] = []
    over = time.monotonic() + seconds
    while len(times) < _LEAST_ROUNDS or time.monotonic() < over:
        began = time.perf_counter()
        ana.get("/integration")
        times.append((time.perf_counter() - began) * 1000)
    return times
