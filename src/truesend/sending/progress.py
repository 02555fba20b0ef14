"""How far an email with several copies is, counted from its copies. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from truesend.sending.models import DeliveryStatus
from truesend.sending.states import PAUSED


class Copy(Protocol):
    """What is asked of a delivery."""

    status: str
    held_cause: str
    due_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """Copies by where they stand; ``next_at`` and ``last_at`` are when the first and last of those waiting are due.

    ``waiting`` have an hour, ``held`` wait for somebody, ``paused`` for whoever paused them. ``failed`` were refused,
    ``stopped`` never left. One that is under way counts as waiting.
    """

    total: int
    sent: int
    waiting: int
    paused: int
    held: int
    unknown: int
    failed: int
    stopped: int
    next_at: datetime | None
    last_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it leaves any more."""
        return not (self.waiting or self.paused or self.held)


def of(copies: Iterable[Copy]) -> Progress:
    """Of all copies of an email."""
    names = ("sent", "waiting", "paused", "held", "unknown", "failed", "stopped")
    counts = dict.fromkeys(names, 0)
    due: list[datetime] = []
    for one in copies:
        place = _place(one)
        counts[place] += 1
        if place == "waiting" and one.due_at is not None:
            due.append(one.due_at)
    return Progress(
        total=sum(counts.values()),
        **counts,
        next_at=min(due, default=None),
        last_at=max(due, default=None),
    )


_ENDED = {
    DeliveryStatus.ACCEPTED: "sent",
    DeliveryStatus.UNKNOWN: "unknown",
    DeliveryStatus.REFUSED: "failed",
    DeliveryStatus.CANCELLED: "stopped",
}


def _place(one: Copy) -> str:
    if (ended := _ENDED.get(DeliveryStatus(one.status))) is not None:
        return ended
    if one.held_cause == PAUSED:
        return "paused"
    return "held" if one.held_cause and one.due_at is None else "waiting"
