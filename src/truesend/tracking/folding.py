"""Floods: more than 100 identical hits within 60 s become one row with a count. Pure.

Identical means the same pixel or link of the same delivery, from the same address by the same agent. The
sum of all counts stays exact; what is known of the past minute lives in memory, so after a restart up to
100 more hits of a flood are stored one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

from truesend.tracking.records import Record

LIMIT = 100
WINDOW = 60.0
MAX_KEYS = 50_000
"""Keys remembered at once; beyond that, hits of new keys are stored one by one."""

Key = tuple[str, UUID, int | None, str, str | None, str]


@dataclass(frozen=True, slots=True)
class _Window:
    """The minute of one key: when it began, how many rows it has, and the row that takes the rest."""

    start: float
    rows: int
    row_id: int | None


@dataclass(slots=True)
class Plan:
    """What a batch becomes: rows as they are, rows that stand for many hits, more hits for existing rows."""

    rows: list[Record] = field(default_factory=list)
    folded: dict[Key, tuple[Record, int]] = field(default_factory=dict)
    increments: dict[int, int] = field(default_factory=dict)
    windows: dict[Key, _Window] = field(default_factory=dict)


class Folding:
    """The windows of the past minute. A plan changes them only once :meth:`keep` says it was committed."""

    def __init__(self) -> None:
        self._windows: dict[Key, _Window] = {}

    def plan(self, records: Iterable[Record]) -> Plan:
        """Sort a batch into rows and counts."""
        plan = Plan()
        for record in records:
            key = (record.kind, record.delivery, record.link, record.method, record.ip, record.user_agent)
            at = record.at.timestamp()
            window = plan.windows.get(key) or self._windows.get(key)
            if window is None or abs(at - window.start) >= WINDOW:
                plan.windows[key] = _Window(at, 1, None)
                plan.rows.append(record)
            elif window.rows < LIMIT:
                plan.windows[key] = replace(window, rows=window.rows + 1)
                plan.rows.append(record)
            elif window.row_id is not None:
                plan.increments[window.row_id] = plan.increments.get(window.row_id, 0) + 1
            elif key in plan.folded:
                first, count = plan.folded[key]
                plan.folded[key] = (first, count + 1)
            else:
                plan.folded[key] = (record, 1)
        return plan

    def keep(self, plan: Plan, row_ids: dict[Key, int]) -> None:
        """Remember a committed plan; ``row_ids`` are the rows that its folded hits were written to."""
        for key, window in plan.windows.items():
            if len(self._windows) < MAX_KEYS or key in self._windows:
                self._windows[key] = window
        for key, row_id in row_ids.items():
            if key in self._windows:
                self._windows[key] = replace(self._windows[key], row_id=row_id)
        if len(self._windows) >= MAX_KEYS:
            self._forget_old(max(window.start for window in self._windows.values()))

    def _forget_old(self, newest: float) -> None:
        self._windows = {k: w for k, w in self._windows.items() if newest - w.start < WINDOW}
