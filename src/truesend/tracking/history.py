"""An email's signals in pages, newest first: those of people one by one, and between two of them machines in a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from truesend.tracking.clicks import LinkClicks
from truesend.tracking.models import Signal
from truesend.tracking.query import Told
from truesend.tracking.troubles import TOLD, Trouble, judged

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
# One statement, so that all of it is of one moment. Folded is what nobody needs one by one, unless somebody struck it:
# it counts nowhere; a proxy's fetch may be a person's look. The gaps between the signals shown are numbered from the
# oldest. Who fetches links fetches the pictures, too: that is one line, and the links tell more.
_HISTORY = """
WITH page AS (
    SELECT * FROM tracking_signal
     WHERE email = %(email)s AND (struck OR class NOT IN ('scanner', 'prefetch', 'self'))
       AND (at, id) < (%(at)s, %(id)s)
     ORDER BY at DESC, id DESC LIMIT %(size)s + 1
), shown AS (
    SELECT * FROM page ORDER BY at DESC, id DESC LIMIT %(size)s
), last AS (
    SELECT at, id FROM shown WHERE (SELECT count(*) FROM page) > %(size)s ORDER BY at, id LIMIT 1
), folds AS (
    SELECT width_bucket(at, coalesce((SELECT array_agg(at ORDER BY at) FROM shown), '{}')) AS gap,
           min(id) AS id, class AS klass, CASE WHEN bool_or(kind = 'click') THEN 'click' ELSE 'open' END AS kind,
           max(at) AS at, sum(count) AS times, count(DISTINCT link) AS links, count(DISTINCT delivery) AS copies,
           (array_agg(confidence ORDER BY kind, at DESC, id DESC))[1] AS confidence,
           (array_agg(reason ORDER BY kind, at DESC, id DESC))[1] AS reason,
           (array_agg(coalesce(nullif(link_label, ''), link_target) ORDER BY kind, at DESC, id DESC))[1] AS link_name,
           CASE count(DISTINCT link) WHEN 1 THEN min(link) END AS link,
           CASE count(DISTINCT delivery) WHEN 1 THEN min(delivery::text) END AS delivery
      FROM tracking_signal
     WHERE email = %(email)s AND class IN ('scanner', 'prefetch', 'self') AND NOT struck
       AND (at, id) < (%(at)s, %(id)s)
       AND (NOT EXISTS (SELECT FROM last) OR (at, id) > (SELECT at, id FROM last))
     GROUP BY gap, class, class = 'self' AND kind = 'open'
), clicks AS (
    SELECT link,
           coalesce(sum(count) FILTER (WHERE class = 'person' AND NOT struck), 0) AS times,
           count(DISTINCT delivery) FILTER (WHERE class = 'person' AND NOT struck) AS copies,
           coalesce(bool_or(class = 'unknown' AND NOT struck), false) AS doubtful,
           coalesce(bool_or(class NOT IN ('person', 'unknown') AND NOT struck), false) AS others
      FROM tracking_signal WHERE email = %(email)s AND kind = 'click' AND link IS NOT NULL GROUP BY link
), tally AS (
    SELECT * FROM tracking_emailtally WHERE email = %(email)s AND level > 0
)
SELECT (SELECT json_agg(shown ORDER BY at DESC, id DESC) FROM shown), (SELECT json_agg(folds) FROM folds),
       (SELECT json_agg(clicks) FROM clicks), (SELECT row_to_json(tally) FROM tally),
       (SELECT row_to_json(best) FROM tracking_signal AS best WHERE best.id = (SELECT tally.best FROM tally)),
       EXISTS (SELECT FROM last), (SELECT json_agg(trouble) FROM (TROUBLE) AS trouble)
""".replace("TROUBLE", TOLD.format(emails="ARRAY[%(email)s::uuid]"))


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the history: everything older than this signal comes after it."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"


BEGINNING = Place(datetime(9999, 1, 1, tzinfo=UTC), 2**63 - 1)
END = Place(datetime(1, 1, 2, tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class Fold:
    """``times`` hits of one class, on ``links`` distinct links of ``copies`` copies, the last one ``at``.

    ``id`` is the first's; ``confidence``, ``reason`` and ``link_name`` are those of the last click, else of the last.
    ``link`` is the number of the link where there was but one, ``delivery`` the copy where there was but one.
    """

    id: int
    klass: str
    kind: str
    at: datetime
    times: int
    links: int
    copies: int
    confidence: float
    reason: str
    link_name: str
    link: int | None
    delivery: UUID | None


@dataclass(frozen=True, slots=True)
class History:
    """One page: signals one by one, and folds; ``older`` is where the next one begins, ``None`` where there is none.

    And of the whole history: the clicks by the number of their link, what all of it comes to, and what did not arrive.
    """

    signals: list[Signal]
    folds: list[Fold]
    older: Place | None
    clicks: dict[int, LinkClicks]
    told: Told | None
    trouble: Trouble | None = None


def place_of(text: str) -> Place | None:
    """The place that ``str(place)`` stands for; ``None`` for anything else."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        return None
    try:
        return Place(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))
    except OverflowError:
        return None


def history_of(email: UUID, size: int, before: Place | None = None) -> History:
    """The newest ``size`` signals of an email that stand alone, with the folds between them; one query."""
    start = before or BEGINNING
    asked: dict[str, Any] = {"email": email, "size": size, "at": start.at, "id": start.id}
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, asked)
        row = cursor.fetchone()
    found, folds, clicks, tally, best, troubles = (
        json.loads(one) if isinstance(one, str) else one for one in (*row[:5], row[6])
    )
    signals = [_signal(one) for one in found or ()]
    return History(
        signals,
        [_fold(one) for one in folds or ()],
        Place(signals[-1].at, signals[-1].pk) if row[5] else None,
        {one.pop("link"): LinkClicks(**one) for one in clicks or ()},
        _told(tally, best) if tally and best else None,
        judged(_trouble(one) for one in troubles or ()).get(email),
    )


def _trouble(row: Mapping[str, Any]) -> tuple[Any, ...]:
    email, delivery, recipient, kind, reason, rule, at, seen = row.values()
    return UUID(email), UUID(delivery), recipient, kind, reason, rule, datetime.fromisoformat(at), seen


def _signal(row: Mapping[str, Any]) -> Signal:
    fields = {"klass" if key == "class" else key: value for key, value in row.items()}
    for name in ("at", "changed_at"):
        fields[name] = datetime.fromisoformat(fields[name])
    for name in ("organization", "email", "delivery"):
        fields[name] = UUID(fields[name])
    return Signal(**fields)


def _fold(row: dict[str, Any]) -> Fold:
    del row["gap"]
    row["at"] = datetime.fromisoformat(row["at"])
    row["link_name"] = row["link_name"] or ""
    row["delivery"] = UUID(row["delivery"]) if row["delivery"] else None
    return Fold(**row)


def _told(tally: Mapping[str, Any], best: Mapping[str, Any]) -> Told:
    sums = ("level", "opened", "clicked", "answered", "clicks", "scanned", "proxied")
    return Told(best=_signal(best), **{name: tally[name] for name in sums})
