"""A Truesend of one's own: in a temporary folder, on free ports, gone with the bench."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from truesend.bench.machine import clean_environment, free_ports
from truesend.bench.rows import BenchError
from truesend.runtime.placement import OUTSIDE
from truesend.runtime.process import spawn

PATIENCE = 120.0


@contextmanager
def data_folder() -> Iterator[Path]:
    """A temporary data folder; what root's PostgreSQL keeps elsewhere goes with it."""
    base = Path(tempfile.mkdtemp(prefix="truesend-bench-"))
    if os.geteuid() == 0:
        base.chmod(0o711)  # PostgreSQL's user must pass through
    data = base / "data"
    data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
    try:
        yield data
    finally:
        mark = data / "postgres_id"
        if mark.exists():
            shutil.rmtree(OUTSIDE / mark.read_text(encoding="ascii").strip(), ignore_errors=True)
        shutil.rmtree(base, ignore_errors=True)


def truesend(*arguments: str) -> list[str]:
    """A command of this very installation."""
    return [sys.executable, "-P", "-m", "truesend.cli", *arguments]


@contextmanager
def program(command: Sequence[str], log: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running program that ends with the block, and by SIGTERM should we be killed. Main thread only."""
    with log.open("ab") as opened:
        process = spawn(
            command,
            environment=clean_environment(**settings),
            log=opened.fileno(),
            death_signal=signal.SIGTERM,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], patience: float = 30.0) -> float:
    """SIGTERM and wait: the seconds it took. After ``patience`` it is killed."""
    began = time.monotonic()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return time.monotonic() - began


def await_true(
    good: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, what: str, patience: float
) -> None:
    """Wait for ``good()``; :class:`BenchError` with the program's last words when it ends or takes too long."""
    until = time.monotonic() + patience
    while not good():
        if process.poll() is not None or time.monotonic() > until:
            words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise BenchError(f"{what} did not start: {' '.join(words) or 'it said nothing'}")
        time.sleep(0.01)


def migrate(settings: Mapping[str, str]) -> None:
    """Make the tables; :class:`BenchError` when that fails."""
    done = subprocess.run(
        truesend("migrate"),
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        raise BenchError(f"The database could not be prepared: {done.stderr.strip()[-300:]}")


class Installation:
    """``truesend up --sandbox`` on a data folder; it can be ended and started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port, _, self.sandbox_port = free_ports(3)
        self._starts = 0

    @contextmanager
    def running(self) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
        """A running one, and the seconds until it said ``ready:``."""
        self._starts += 1
        log = self.data.with_name(f"up-{self._starts}.log")
        log.touch()
        command = truesend("up", "--data", str(self.data), "--port", str(self.port))
        began = time.monotonic()
        with program([*command, "--sandbox", "--sandbox-port", str(self.sandbox_port)], log) as process:
            await_true(lambda: b"\nready:" in b"\n" + log.read_bytes(), process, log, "Truesend", PATIENCE)
            yield process, time.monotonic() - began

    def pid(self, part: str) -> int:
        """The process id of a part that runs."""
        return int((self.data / "run" / f"{part}.pid").read_text(encoding="ascii"))
