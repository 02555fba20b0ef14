"""The tracker's processes: one that answers and looks after the others, the loader, and more that answer."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from truesend import env
from truesend.runtime import collector, process, sockets
from truesend.runtime.server import serve
from truesend.tracking.app import from_environment

log = logging.getLogger("truesend.tracker")

_LOOK_SECONDS = 0.25
# First and longest wait before one that died is started again; one that lived so long begins with the first.
_PAUSES = (0.25, 5.0)
_LIVED = 10.0
STOP_PATIENCE = 3.0


class Attendant:
    """Keeps one process running for as long as the event loop of the main thread runs.

    It dies with us, however we end. ``name``: its pid stands in ``DATA/run/<name>.pid``.
    """

    def __init__(self, name: str, command: Sequence[str], *, fds: Sequence[int] = ()) -> None:
        self._name, self._command, self._fds = name, list(command), tuple(fds)
        self._running: subprocess.Popen[bytes] | None = None
        self._look_again: asyncio.TimerHandle | None = None
        self._pause = _PAUSES[0]
        self._since = 0.0
        self._pid_file = env.data_dir() / "run" / f"{name}.pid"

    def start(self) -> None:
        """Start it, and again whenever it has died."""
        for fd in self._fds:
            os.set_inheritable(fd, True)
        self._since = time.monotonic()
        # A SIGTERM that comes before it can take one waits until it can.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            self._running = process.spawn(
                self._command, environment={**os.environ, "PYTHONUNBUFFERED": "1"}, log=2, fds=self._fds
            )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        self._note(self._running.pid)
        self._later(_LOOK_SECONDS, self._look)

    async def stop(self) -> None:
        """Have it end in good order; after a few seconds without."""
        if self._look_again is not None:
            self._look_again.cancel()
        running, self._running = self._running, None
        if running is None:
            return
        running.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(running.wait, STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            running.kill()
            await asyncio.to_thread(running.wait)
        self._pid_file.unlink(missing_ok=True)

    def _look(self) -> None:
        assert self._running is not None
        code = self._running.poll()
        if code is None:
            self._later(_LOOK_SECONDS, self._look)
            return
        self._running = None
        self._pause = _PAUSES[0] if time.monotonic() - self._since > _LIVED else self._pause
        log.warning("The %s ended (%s); starting it again.", self._name, code)
        self._later(self._pause, self._begin_again)
        self._pause = min(self._pause * 2, _PAUSES[1])

    def _begin_again(self) -> None:
        try:
            self.start()
        except OSError as error:  # no memory, no more processes
            log.error("The %s could not be started (%s).", self._name, error.strerror)
            self._later(_PAUSES[1], self._begin_again)

    def _later(self, seconds: float, call: object) -> None:
        assert callable(call)
        self._look_again = asyncio.get_running_loop().call_later(seconds, call)

    def _note(self, pid: int) -> None:
        try:
            self._pid_file.parent.mkdir(mode=0o700, exist_ok=True)
            self._pid_file.write_text(f"{pid}\n", encoding="ascii")
        except OSError as error:
            log.info("The pid of the %s could not be noted (%s).", self._name, error.strerror)


def run(*, fds: Sequence[int], host: str, port: int, helping: bool) -> None:
    """Serve the tracker until SIGTERM. ``helping``: another process of this tracker looks after the rest."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    listening = sockets.adopt(fds) if fds else sockets.listen(host, port, "tracker")
    beside: list[Attendant] = []
    if not helping:
        # Where there is no database the hits are kept for later.
        if env.get("DATABASE_URL") is not None:
            beside.append(Attendant("loader", [sys.executable, "-P", "-m", "truesend.tracking.loader"]))
        shared = [one.fileno() for one in listening]
        command = [sys.executable, "-P", "-m", "truesend.cli", "tracker", "--helping"]
        for fd in shared:
            command += ["--fd", str(fd)]
        beside += [
            Attendant(f"tracker-{number}", command, fds=shared)
            for number in range(2, env.number("TRACKER_PROCESSES") + 1)
        ]
    application = from_environment(beside)
    # A request leaves no cycles behind; looking for them among what is loaded would cost one in twenty.
    collector.leave_loaded(middle=20, old=100)
    serve(application, listening=listening, what="tracker")
