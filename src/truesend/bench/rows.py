"""One measured figure, and how it is printed."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class BenchError(Exception):
    """Something measured did not work; the message is a sentence."""


@dataclass(frozen=True)
class Row:
    """A figure beside its limit.

    ``ours`` is in ``unit``. ``limit`` bounds the ratio where there is one, else ``ours``: from below when
    ``at_least``, otherwise from above. ``compare`` is the mark's own figure in ``unit``, ``cpu_ms`` the processor
    time of one answer, ``median_ms`` and ``p99_ms`` the times that 50 and 99 of 100 answers stay within.
    """

    name: str
    ours: float
    unit: str
    limit: float
    limit_name: str
    at_least: bool = False
    ratio: float | None = None
    compare: float | None = None
    cpu_ms: float | None = None
    p99_ms: float | None = None
    median_ms: float | None = None
    setup: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limit."""
        judged = self.ours if self.ratio is None else self.ratio
        return judged >= self.limit if self.at_least else judged <= self.limit

    def as_json(self) -> str:
        """One line; ``ratio`` and ``compare`` only where the row is held against a mark."""
        mark = {} if self.ratio is None else {"ratio": _round(self.ratio), "compare": _round(self.compare)}
        return json.dumps(
            {
                "name": self.name,
                "ours": _round(self.ours),
                "unit": self.unit,
                "limit": self.limit,
                "limit_name": self.limit_name,
                "holds": self.holds,
                **mark,
                **({} if self.median_ms is None else {"median_ms": _round(self.median_ms)}),
                "cpu_ms": _round(self.cpu_ms),
                "p99_ms": _round(self.p99_ms),
                "setup": self.setup,
            }
        )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that ``percent`` of ``values`` do not pass."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def table(rows: Sequence[Row]) -> str:
    """For people: a line per row, and the setups below, each once."""
    heads = ("name", "ours", "limit", "", "ratio", "compare", "cpu ms", "median ms", "p99 ms")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    drawn = [
        "  ".join(
            cell.ljust(width) if column in {0, 3} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    setups: dict[str, str] = {}
    for row in rows:
        for name, value in row.setup.items():
            setups.setdefault(f"{name}: {value}", "")
    return "\n".join([*drawn, "", *setups])


def _cells(row: Row) -> tuple[str, ...]:
    limit = f"{row.limit:g} {row.limit_name}"
    return (
        row.name,
        f"{_text(row.ours)} {row.unit}",
        limit,
        "holds" if row.holds else "FALLS SHORT",
        _text(row.ratio),
        _text(row.compare),
        _text(row.cpu_ms),
        _text(row.median_ms),
        _text(row.p99_ms),
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
