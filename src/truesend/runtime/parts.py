"""One supervised part of ``truesend up``: a process that is started again whenever it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from truesend.runtime.errors import CONFIGURATION_EXIT
from truesend.runtime.files import write_private
from truesend.runtime.process import send, spawn

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
HEALTHY_AFTER = 10.0


class Program(Protocol):
    """What a part runs."""

    @property
    def log(self) -> Path:
        """Its log file."""

    def start(self) -> None:
        """Start it; it has ended before."""

    def poll(self) -> int | None:
        """Its exit code once it has ended (negative: the signal), else ``None``."""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""


@dataclass
class Command:
    """A program of ours with inherited listening sockets; its output goes to ``log``."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    fds: Sequence[int] = ()
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = spawn(
                self.arguments, environment=self.environment, log=log.fileno(), fds=self.fds
            )

    def poll(self) -> int | None:
        """Its exit code, once."""
        return self._process.poll() if self._process is not None else None


class Part:
    """Starts, watches and ends one program, and keeps its pid file. Times are monotonic seconds."""

    def __init__(self, name: str, program: Program, *, run_folder: Path, say: Callable[[str], None]) -> None:
        self.name = name
        self._program = program
        self._run_folder = run_folder
        self._say = say
        self._running = False
        self._started = 0.0
        self._start_at = 0.0
        self._pause = FIRST_PAUSE
        self.deaths = 0
        self.refusal: str | None = None

    @property
    def running(self) -> bool:
        """Whether it is believed to run; :meth:`watch` looks."""
        return self._running

    @property
    def ready_file(self) -> Path:
        """Where a part without a port writes its pid when it is at work."""
        return self._run_folder / f"{self.name}.ready"

    @property
    def says_ready(self) -> bool:
        """Whether the running process has written its ready file."""
        try:
            return self.ready_file.read_text(encoding="ascii").strip() == str(self._program.pid)
        except OSError:
            return False

    def start(self) -> None:
        """Start it now."""
        self.ready_file.unlink(missing_ok=True)
        self._program.start()
        self._running = True
        self._started = time.monotonic()
        write_private(self._run_folder / f"{self.name}.pid", f"{self._program.pid}\n")

    def watch(self, *, restart: bool = True) -> None:
        """Notice its end and, when its pause is over, start it again."""
        now = time.monotonic()
        if self._running:
            code = self._program.poll()
            if code is None:
                return
            self._ended(code, now, restart)
        if restart and now >= self._start_at:
            self.start()

    def _ended(self, code: int, now: float, restart: bool) -> None:
        self._running = False
        (self._run_folder / f"{self.name}.pid").unlink(missing_ok=True)
        self.ready_file.unlink(missing_ok=True)
        if not restart:
            return
        self.deaths += 1
        if code == CONFIGURATION_EXIT:
            self.refusal = last_words(self._program.log)
        if now - self._started >= HEALTHY_AFTER:
            self._pause = FIRST_PAUSE
        self._start_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        why = f" Its last words: {last_words(self._program.log)}" if code > 0 else ""
        self._say(f"{self.name} {how} and is started again.{why}")

    def ask_to_end(self) -> None:
        """SIGTERM."""
        pid = self._program.pid
        if self._running and pid is not None:
            send(pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, for the process and whatever it has started in its session."""
        pid = self._program.pid
        if self._running and pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            send(pid, signal.SIGKILL)


def last_words(log: Path) -> str:
    """The last line of a log file that says something, to show in one sentence."""
    try:
        with log.open("rb") as opened:
            opened.seek(max(0, log.stat().st_size - 4096))
            lines = [line.strip() for line in opened.read().decode("utf-8", "replace").splitlines()]
    except OSError:
        lines = []
    return next((line for line in reversed(lines) if line), "it said nothing.")


def fresh_log(path: Path) -> Path:
    """Keep the log of the run before as ``.1`` and begin a new one."""
    with contextlib.suppress(FileNotFoundError):
        path.replace(path.with_name(f"{path.name}.1"))
    return path
