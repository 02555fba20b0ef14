"""A worker's heartbeat, in a thread of its own: a long round of the waker or a busy event loop is no death.

Each second it beats in the database and, as long as that answers steadily, clears away what dead workers held. For
``truesend up`` the event loop touches the ready file while all of the worker is at work; that needs no database.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from truesend import env
from truesend.runtime import identity
from truesend.sending.at_work import AtWork

log = logging.getLogger("truesend.worker")

BEAT_SECONDS = 1.0
# After a database that hung, everybody else's heartbeat is old for an instant: others get so long to beat again.
_STEADY_SECONDS, _SLOW_ROUND = 3.0, 2.0
# The event loop or a thread that has not come round for so long does not work.
_LOOP_LOST, _THREAD_LOST = 4.0, 30.0


class Heart:
    """The heartbeat of this process. Times are monotonic seconds."""

    def __init__(self, job_worker: Callable[[], int | None], at_work: AtWork) -> None:
        """``job_worker`` tells as which worker Procrastinate knows this process just now, ``at_work`` its jobs."""
        self._job_worker, self._at_work = job_worker, at_work
        self._looped = self._woke = self._beat = time.monotonic()
        self._steady_since = float("inf")

    @property
    def steady(self) -> bool:
        """Whether the database has answered long enough for the silence of others to mean something."""
        now = time.monotonic()
        in_time = now - self._beat <= BEAT_SECONDS + _SLOW_ROUND  # else it hangs in this very instant
        return in_time and now - self._steady_since >= _STEADY_SECONDS

    def woke(self) -> None:
        """The waker has come round."""
        self._woke = time.monotonic()

    def run(self, ended: threading.Event) -> None:
        """Beat until ``ended``."""
        from django.db import DatabaseError, InterfaceError, close_old_connections, connection

        while not ended.wait(BEAT_SECONDS):
            try:
                close_old_connections()
                self._round()
            except (DatabaseError, InterfaceError) as error:
                self._steady_since = float("inf")
                log.warning("The heartbeat lost the database (%s); trying again.", type(error).__name__)
            self._beat = time.monotonic()
        connection.close()

    def _round(self) -> None:
        from truesend.sending import workers

        began = time.monotonic()
        if began - self._beat > BEAT_SECONDS + _SLOW_ROUND:
            self._steady_since = float("inf")  # this process was paused
        in_time = began - self._looped < _LOOP_LOST
        job_worker = self._job_worker() if in_time else None
        workers.beat(identity.worker_name(), job_worker)
        if time.monotonic() - began > _SLOW_ROUND:
            self._steady_since = float("inf")
        elif self._steady_since > began:
            self._steady_since = began
        if not self.steady:
            return
        if freed := workers.free_jobs():
            log.warning("%d jobs of dead workers were ended; their mailboxes are free.", freed)
        lost = self._at_work.lost(workers.held_jobs(job_worker) if job_worker is not None else ())
        if lost and job_worker is not None and (ended := workers.end_jobs(job_worker, lost)):
            log.warning("%d jobs at which nobody was any more were ended; what they held is free.", ended)
        if cut := workers.cut_off():
            log.warning("%d connections of dead workers were cut.", cut)
        workers.forget()

    async def show(self) -> None:
        """In the event loop: touch the ready file as long as loop, waker and heartbeat come round."""
        ready = ready_file()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = self._looped = time.monotonic()
            if ready is not None and now - min(self._woke, self._beat) < _THREAD_LOST:
                with suppress(OSError):
                    os.utime(ready)


def say_ready() -> None:
    """Tell ``truesend up``, where it has started this worker, that it is at work."""
    if (ready := ready_file()) is not None:
        ready.write_text(str(os.getpid()), encoding="ascii")


def ready_file() -> Path | None:
    """Where to say so; None without such a folder, and beside a worker of ``up``, whose file it is."""
    run = env.data_dir() / "run"
    try:
        theirs = (run / "worker.pid").read_text(encoding="ascii").strip() != str(os.getpid())
    except OSError:
        theirs = False
    return run / "worker.ready" if run.is_dir() and not theirs else None
