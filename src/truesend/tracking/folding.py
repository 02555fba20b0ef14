"""Floods: more than 100 identical hits within 60 s become one row with a count. Pure.

Identical means the same pixel or link of the same delivery, from the same address by the same agent. The
sum of all counts stays exact; what is known of the past minute lives in memory, so after a restart up to
100 more hits of a flood are stored one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from truesend.tracking.copying import Hit, Key

LIMIT = 100
WINDOW = 60.0
MAX_KEYS = 50_000
"""Keys after which those not seen lately are forgotten; twice as many are remembered at most."""


class _Window(NamedTuple):
    """The minute of one key: when it began, how many rows it has, and the row that takes the rest."""

    start: float
    rows: int
    row_id: int | None


@dataclass(slots=True)
class Plan:
    """What a batch becomes: rows as they are, rows that stand for many hits, more hits for existing rows."""

    rows: list[Hit] = field(default_factory=list)
    folded: dict[Key, tuple[Hit, int]] = field(default_factory=dict)
    increments: dict[int, int] = field(default_factory=dict)
    windows: dict[Key, _Window] = field(default_factory=dict)


class Folding:
    """The windows of the past minute. A plan changes them only once :meth:`keep` says it was committed.

    They are in two generations: when the younger is a minute old or full, it takes the place of the older, so that
    forgetting costs nothing. A key that goes on being seen is carried over.
    """

    def __init__(self) -> None:
        self._younger: dict[Key, _Window] = {}
        self._older: dict[Key, _Window] = {}
        self._since = 0.0

    def plan(self, hits: Iterable[Hit]) -> Plan:
        """Sort a batch into rows and counts."""
        plan = Plan()
        windows, younger, older, rows = plan.windows, self._younger, self._older, plan.rows
        for hit in hits:
            key = hit.key
            window = windows.get(key) or younger.get(key) or older.get(key)
            if window is None or abs(hit.at - window.start) >= WINDOW:
                windows[key] = _Window(hit.at, 1, None)
                rows.append(hit)
            elif window.rows < LIMIT:
                windows[key] = _Window(window.start, window.rows + 1, None)
                rows.append(hit)
            else:
                windows[key] = window
                if window.row_id is not None:
                    plan.increments[window.row_id] = plan.increments.get(window.row_id, 0) + 1
                elif key in plan.folded:
                    first, count = plan.folded[key]
                    plan.folded[key] = (first, count + 1)
                else:
                    plan.folded[key] = (hit, 1)
        return plan

    def keep(self, plan: Plan, row_ids: dict[Key, int]) -> None:
        """Remember a committed plan; ``row_ids`` are the rows that its folded hits were written to."""
        self._younger.update(plan.windows)
        for key, row_id in row_ids.items():
            window = self._younger[key]
            # A hit of the next minute may have begun another window behind the folded ones.
            if window.rows >= LIMIT:
                self._younger[key] = window._replace(row_id=row_id)
        newest = max((window.start for window in plan.windows.values()), default=self._since)
        if abs(newest - self._since) >= WINDOW or len(self._younger) >= MAX_KEYS:
            self._older, self._younger, self._since = self._younger, {}, newest
