"""The load generator: ``wrk`` where it is installed, else one of our own in several processes.

Both keep their connections, ask for one address after another out of a list, and report what was answered whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from truesend.bench.rows import BenchError

CONNECTIONS = 64
BUCKET_MS = 0.05
"""Width of a bucket in which our own generator counts times."""

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_LUA = """
local requests, next = {}, 0
function init(arguments)
  for path in io.lines(arguments[1]) do requests[#requests + 1] = wrk.format("GET", path) end
  next = math.random(#requests)
end
function request()
  next = next % #requests + 1
  return requests[next]
end
"""
# What a recipient's browser sends; wrk alone would send nothing but Host.
HEADERS: Mapping[str, str] = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Accept": "image/avif,image/webp,*/*",
    "Accept-Language": "en-GB",
}


@dataclass(frozen=True)
class Load:
    """What a run came to: answers with the expected status, seconds, the 99th percentile."""

    answered: int
    seconds: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


def generator() -> str:
    """Which one is used here, in words."""
    return "wrk, 1 thread" if shutil.which("wrk") else _own_words()


def _own_words() -> str:
    return f"own (Python, {_processes()} processes); wrk is not installed"


def _processes() -> int:
    return max(2, min(4, (os.cpu_count() or 2) // 2))


def press(port: int, paths: Path, seconds: float, connections: int = CONNECTIONS) -> Load:
    """Ask ``paths`` (a file, an address path to a line) of a local port for that long, over so many connections.

    :class:`BenchError` when anything but a 2xx or 3xx comes back.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        return _own(port, paths, seconds=seconds, connections=connections)
    return _wrk(wrk, port, paths, seconds, connections)


def each_once(port: int, paths: Path, count: int, agent: str) -> int:
    """``count`` requests by our own generator, each with the agent ``{agent}-{process}-{number}``: how many were
    answered whole with a 2xx or 3xx."""
    return _own(port, paths, count=count, agent=agent).answered


def _wrk(wrk: str, port: int, paths: Path, seconds: float, connections: int) -> Load:
    script = paths.with_name("paths.lua")
    script.write_text(_LUA, encoding="ascii")
    command = [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    for name, value in HEADERS.items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(script), f"http://127.0.0.1:{port}", "--", str(paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    load = read_wrk(done.stdout)
    if done.returncode != 0 or load is None:
        raise BenchError(f"wrk failed: {(done.stdout + done.stderr).strip()[-300:]}")
    return load


def read_wrk(report: str) -> Load | None:
    """What wrk printed; ``None`` when it had errors or the report is not one."""
    count = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)\b", report)
    p99 = re.search(r"^\s*99%\s+([\d.]+)(us|ms|s)\b", report, re.MULTILINE)
    if count is None or p99 is None or "Non-2xx" in report or "Socket errors" in report:
        return None
    unit = {"m": 60_000.0, **_UNITS}[count[3]]
    return Load(int(count[1]), float(count[2]) * unit / 1000, float(p99[1]) * _UNITS[p99[2]])


def _own(
    port: int,
    paths: Path,
    *,
    seconds: float | None = None,
    count: int | None = None,
    agent: str | None = None,
    connections: int = CONNECTIONS,
) -> Load:
    processes = _processes()
    order = {
        "port": port,
        "paths": str(paths),
        "connections": connections // processes,
        "seconds": seconds,
        "headers": dict(HEADERS),
    }
    orders = [
        {
            **order,
            "count": None if count is None else count // processes + (number < count % processes),
            "agent": None if agent is None else f"{agent}-{number}",
        }
        for number in range(processes)
    ]
    return _together([json.dumps(one) for one in orders], seconds or 0)


def _together(orders: Sequence[str], seconds: float) -> Load:
    command = [sys.executable, "-P", "-m", "truesend.bench.hammer"]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in orders
    ]
    try:
        for process, order in zip(running, orders, strict=True):
            assert process.stdin is not None
            process.stdin.write(order + "\n")
            process.stdin.flush()
        reports = [json.loads(process.communicate(timeout=seconds + 180)[0] or "{}") for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    if any(not report or report["failed"] for report in reports):
        raise BenchError(f"Requests failed: {[report.get('failed', 'all') for report in reports]}.")
    times: Counter[int] = Counter()
    for report in reports:
        times.update({int(bucket): number for bucket, number in report["times"].items()})
    answered = times.total()
    left = answered * 99 / 100
    p99 = 0
    for p99 in sorted(times):
        left -= times[p99]
        if left <= 0:
            break
    took = max(report["seconds"] for report in reports)
    return Load(answered, took, (p99 + 1) * BUCKET_MS)
