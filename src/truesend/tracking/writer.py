"""From the event loop to the segment: requests wait for the batch their hit is in (group commit).

While one batch is being synced the next one gathers, so one sync serves all requests of that time. The
request path never waits longer than :data:`PATIENCE`, whatever the disk does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading

from truesend.tracking.losses import Losses
from truesend.tracking.segments import Segments

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds a request waits for the disk before it is answered all the same."""

MAX_WAITING = 100_000
"""Hits kept in memory while the disk hangs; more are answered and counted as lost."""

GATHER = 0.002
"""Seconds a batch gathers: many hits to a sync and to a turn between two threads cost a third less than few."""

ENOUGH = 32
"""Hits that wait no longer. Were a batch everybody who asks at a time, the processor would idle while it is synced."""

_Batch = tuple[list[bytes], "asyncio.Future[None]"]

_LOOK = 0.25


class Writer:
    """Takes records on the event loop, writes them in a thread of its own."""

    def __init__(self, segments: Segments, losses: Losses) -> None:
        self._segments, self._losses = segments, losses
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tracker-writer", daemon=True)
        self._waiting: list[bytes] = []
        self._next = self._loop.create_future()
        self._writing: asyncio.Future[None] | None = None
        self._since = 0.0
        self._due = False  # the batch that gathers has gathered long enough
        self._late = False
        self._settled: asyncio.Future[None] = self._loop.create_future()
        self._settled.set_result(None)
        self._dropped = self._dropped_counted = 0
        self._watch = self._loop.call_later(_LOOK, self._look)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Hits in memory that wait for the disk."""
        return len(self._waiting)

    def append(self, record: bytes) -> asyncio.Future[None]:
        """Hand a record over. The future is done when it is safe, or when waiting for it has no sense."""
        if len(self._waiting) >= MAX_WAITING:
            self._dropped += 1
            return self._settled
        self._waiting.append(record)
        batch = self._next
        if len(self._waiting) == 1:
            self._loop.call_later(GATHER, self._gathered, batch)
        elif len(self._waiting) >= ENOUGH and self._writing is None:
            self._start()
        return self._settled if self._late else batch

    async def close(self) -> None:
        """Write what is waiting, close the segment, end the thread. At most a few seconds."""
        deadline = self._loop.time() + PATIENCE
        while self._writing is not None and self._loop.time() < deadline:
            await asyncio.sleep(0.005)
        self._watch.cancel()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, PATIENCE)

    def _gathered(self, batch: asyncio.Future[None]) -> None:
        if batch is not self._next:
            return  # it was enough before
        self._due = True
        if self._writing is None:
            self._start()

    def _start(self) -> None:
        self._writing, self._since, self._due = self._next, self._loop.time(), False
        self._queue.put((self._waiting, self._next))
        self._waiting, self._next = [], self._loop.create_future()

    def _look(self) -> None:
        """Let requests go that have waited too long; the disk may still take their hits later."""
        self._watch = self._loop.call_later(_LOOK, self._look)
        if self._writing is not None and self._loop.time() - self._since > PATIENCE:
            self._late = True
            for future in (self._writing, self._next):
                if not future.done():
                    future.set_result(None)

    def _written(self, future: asyncio.Future[None]) -> None:
        self._late = False
        self._writing = None
        if not future.done():
            future.set_result(None)
        if self._waiting:
            # Whoever comes to a batch that nobody waits for any more would not wait either.
            if self._due or len(self._waiting) >= ENOUGH or self._next.done():
                self._start()
        elif self._next.done():
            self._next = self._loop.create_future()

    def _run(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=1.0)
            except queue.Empty:
                self._segments.close_if_old()
                continue
            if item is None:
                break
            batch, future = item
            self._write(batch)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._written, future)
        self._segments.close()
        self._losses.close()

    def _write(self, batch: list[bytes]) -> None:
        failing = self._losses.failing
        dropped = self._dropped
        self._losses.add(len(batch) - self._segments.append(batch) + dropped - self._dropped_counted)
        self._dropped_counted = dropped
        self._segments.close_if_old()
        if self._losses.failing and not failing:
            log.error("The disk takes no hits: they are answered and counted as lost.")
        elif failing and not self._losses.failing:
            log.warning("The disk takes hits again.")
