"""A mailbox's day as it is drawn: what left in the past 24 hours, what leaves in the coming, and what that leaves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from truesend import clock
from truesend.connections.describe import account_label
from truesend.connections.models import Connection
from truesend.sending import budget, day
from truesend.sending.budget import DAY, Day, Load
from truesend.sending.gate_copies import OUTSIDE

HOUR = timedelta(hours=1)
_HOURS = 24
# Of the drawing, in its own units: a bar, the space for bars.
BAR, HEIGHT = 12, 64


def of(connection: Connection) -> dict[str, Any]:
    """Context of partials/day.html.

    {address, unit, most (0: no limit is known), own, used, planned, reserve, left, told, outside, frees_at,
    gauge [{name, x, width, count, word}], bars [{x, y, height, name}], rows [{at, sent, planned}], words, width,
    height, now_x}
    """
    now = clock.now()
    known = day.of(connection)
    past = [one for one in known.load if not one.planned]
    coming = [one for one in known.load if one.planned and one.at <= now + DAY]
    by_people = not known.messages and bool(known.recipients)
    used, planned = _count(past, by_people=by_people), _count(coming, by_people=by_people)
    most = known.recipients if by_people else known.messages
    rows = _rows(past, coming, now, by_people=by_people)
    left = max(0, most - used) if most else None
    unit = "recipient" if by_people else "email"
    return {
        "address": account_label(connection),
        "unit": unit,
        "most": most,
        "own": known.own,
        "used": used,
        "planned": planned,
        "reserve": known.reserve,
        "left": left,
        "told": known.told,
        "outside": OUTSIDE,
        "gauge": _gauge(known, used, most),
        "bars": _bars(rows),
        "rows": rows,
        "words": _words(used, planned, most, unit),
        "width": 2 * _HOURS * BAR,
        "height": HEIGHT,
        "now_x": _HOURS * BAR,
        "frees_at": _frees_at(known, now) if left == 0 else None,
    }


def _count(load: list[Load], *, by_people: bool) -> int:
    return sum(one.recipients if by_people else one.messages for one in load)


def _rows(past: list[Load], coming: list[Load], now: datetime, *, by_people: bool) -> list[dict[str, Any]]:
    """An hour each, oldest first: from a day before to a day after."""
    rows = []
    for number in range(-_HOURS, _HOURS):
        start = now + number * HOUR
        # What is due by now is planned for the coming hour; minutes begin a little before.
        load = past if number < 0 else coming
        first = start if number else start - HOUR
        within = [one for one in load if first < one.at <= start + HOUR]
        count = _count(within, by_people=by_people)
        rows.append({"at": start, "sent": count if number < 0 else 0, "planned": count if number >= 0 else 0})
    return rows


def _bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    most = max((one["sent"] + one["planned"] for one in rows), default=0)
    bars = []
    for number, one in enumerate(rows):
        count = one["sent"] + one["planned"]
        height = max(3, HEIGHT * count // most) if count else 0
        name = "sent" if number < _HOURS else "planned"
        if height:
            bars.append({"x": number * BAR + 1, "y": HEIGHT - height, "height": height, "name": name})
    return bars


def _gauge(known: Day, used: int, most: int) -> list[dict[str, Any]]:
    """The day as one bar: used, free for many, kept for single emails."""
    if not most:
        return []
    width = 2 * _HOURS * BAR
    kept = min(known.reserve, max(0, most - used))
    parts, before = [], 0
    for name, count, word in (
        ("used", min(used, most), "used"),
        ("free", max(0, most - used - kept), "free"),
        ("kept", kept, "kept for single emails"),
    ):
        x, end = width * before // most, width * (before + count) // most
        before += count
        if count:
            parts.append({"name": name, "x": x, "width": max(1, end - x), "count": count, "word": word})
    return parts


def _words(used: int, planned: int, most: int, unit: str) -> str:
    of_most = f" of {most:,}" if most else ""
    return f"{used:,}{of_most} {unit}s in the past 24 hours, {planned:,} planned for the coming"


def _frees_at(known: Day, now: datetime) -> datetime | None:
    """When a single email may leave again."""
    return budget.plan_one(1, now, known).times[0]
