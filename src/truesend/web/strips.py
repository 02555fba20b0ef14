"""The last 30 days of connections, a letter a day.

A day is told by its worst entry in the ledger. The good ones are by far the most, so they are not read: whether there
is one is a look into an index, and of the others the different results are read by an index of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from truesend import clock
from truesend.connections.causes import CAUSES

DAYS = 30
_RANK = "nowb"
_LETTERS = {"broken": "b", "attention": "w"}

_SQL = """
SELECT one.id, day.n,
       EXISTS (SELECT FROM connections_ledgerentry AS entry
                WHERE entry.connection_id = one.id AND entry.result = 'ok'
                  AND entry.at >= %(start)s + day.n * interval '1 day'
                  AND entry.at < %(start)s + (day.n + 1) * interval '1 day'),
       (SELECT array_agg(DISTINCT entry.result) FROM connections_ledgerentry AS entry
         WHERE entry.connection_id = one.id AND entry.result <> 'ok'
           AND entry.at >= %(start)s + day.n * interval '1 day'
           AND entry.at < %(start)s + (day.n + 1) * interval '1 day')
  FROM unnest(%(ids)s::uuid[]) AS one(id), generate_series(0, %(last)s) AS day(n)
"""


def strips(ids: Collection[UUID]) -> dict[UUID, str]:
    """30 letters each, oldest first, days of UTC: o good, w something was slow, b something broke, n nothing known."""
    today = datetime.combine(clock.now().astimezone(UTC).date(), time(), UTC)
    days = {one: ["n"] * DAYS for one in ids}
    if days:
        known: dict[str, Any] = {
            "start": today - timedelta(days=DAYS - 1),
            "ids": list(days),
            "last": DAYS - 1,
        }
        with connection.cursor() as cursor:
            cursor.execute(_SQL, known)
            for one, day, good, others in cursor.fetchall():
                letters = [*(_letter(result) for result in others or ()), "o" if good else "n"]
                days[one][day] = max(letters, key=_RANK.index)
    return {one: "".join(letters) for one, letters in days.items()}


def _letter(result: str) -> str:
    known = CAUSES.get(result)
    return _LETTERS.get(known.severity, "n") if known is not None else "n"
