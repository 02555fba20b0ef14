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
# A part that says that it is at work, and then no more for so long, is ended. A little more than the minute after
# which web tells that nothing is sent: who only rested may still wake up by itself.
HUNG_AFTER = 75.0
# We were paused ourselves, and so perhaps was everybody.
_PAUSED = 30.0


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


class Pulse:
    """Whether a file is still touched. Only what we have watched counts, in monotonic seconds: no clock that was set
    and no pause of the machine makes a part look dead."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: int | None = None
        self._since = 0.0
        self._looked = float("-inf")

    def still_for(self, now: float) -> float:
        """Seconds since it was seen to change; to be asked often."""
        try:
            touched = self._path.stat().st_mtime_ns
        except OSError:
            touched = None
        if touched is None or touched != self._seen or now - self._looked > _PAUSED:
            self._seen, self._since = touched, now
        self._looked = now
        return now - self._since

    def forgive(self, now: float) -> None:
        """Count from here again."""
        self._since = now


class Part:
    """Starts, watches and ends one program, and keeps its pid file. Times are monotonic seconds."""

    def __init__(
        self,
        name: str,
        program: Program,
        *,
        run_folder: Path,
        say: Callable[[str], None],
        is_excused: Callable[[], bool] = lambda: False,
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        """``is_excused`` tells whether something else keeps a part that shows no life from working.

        ``longest_pause`` is how many seconds one that dies again and again is left alone at most.
        """
        self.name = name
        self._is_excused = is_excused
        self._program = program
        self._run_folder = run_folder
        self._say = say
        self._longest_pause = longest_pause
        self._running = False
        self._started = 0.0
        self._start_at = 0.0
        self._pause = FIRST_PAUSE
        self._pulse = Pulse(self.ready_file)
        self._hung = False
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
                if restart:
                    self._end_if_hung(now)
                return
            self._ended(code, now, restart)
        if restart and now >= self._start_at:
            self.start()

    def _end_if_hung(self, now: float) -> None:
        if self._pulse.still_for(now) < HUNG_AFTER or self._hung or not self.says_ready:
            return
        if self._is_excused():
            self._pulse.forgive(now)
            return
        self._hung = True
        self.kill()  # safe at any moment, as every death is: its open attempts become unknown and are looked up

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
        self._pause = min(self._pause * 2, self._longest_pause)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        if self._hung:
            how = f"showed no life for {HUNG_AFTER:.0f} s, was ended"
            self._hung = False
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
