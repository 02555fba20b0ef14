"""Which jobs this process is at, and which are held in its name though nobody is at them.

Procrastinate writes once that a job has been taken, and once that it has ended. Where the database goes away between,
the job stands as running for as long as its worker lives, and what it locks (a mailbox, a place among the probes) is
locked with it.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from procrastinate.job_context import JobContext
    from procrastinate.middleware import AsyncCallNext
    from procrastinate.worker import Worker

# Between the row and the work, and between the work and the row, lie some milliseconds.
LOST_AFTER_SECONDS = 5.0


class AtWork:
    """The jobs of this process. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        # Held by us with nobody at them, since when.
        self._idle: dict[int, float] = {}

    async def around(self, call_next: AsyncCallNext, context: JobContext, worker: Worker) -> Any:
        """Procrastinate's middleware around every job."""
        number = context.job.id
        if number is not None:
            self._ids.add(number)
        try:
            return await call_next()
        finally:
            if number is not None:
                self._ids.discard(number)

    def lost(self, held: Collection[int], now: float | None = None) -> list[int]:
        """Of the jobs that stand in our name those at which nobody has been for a while."""
        moment = time.monotonic() if now is None else now
        self._idle = {one: self._idle.get(one, moment) for one in held if one not in self._ids}
        return [one for one, since in self._idle.items() if moment - since >= LOST_AFTER_SECONDS]
