"""An email's signals in pages, newest first: those of people one by one, and between two of them machines in a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q

from truesend.tracking.models import Signal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
# What nobody needs one by one, unless somebody struck it: it counts nowhere. A proxy's fetch may be a person's look.
_FOLDED = Q(klass__in=[Signal.Klass.SCANNER, Signal.Klass.PREFETCH, Signal.Klass.SELF], struck=False)
# Gaps between the times of the signals shown are numbered from the oldest; %s is where the page begins and ends. Who
# fetches links fetches the pictures, too: that is one line, and the links tell more.
_FOLDS = """
SELECT width_bucket(at, %s::timestamptz[]) AS gap, min(id), class,
       CASE WHEN bool_or(kind = 'click') THEN 'click' ELSE 'open' END, max(at), sum(count),
       count(DISTINCT link), count(DISTINCT delivery),
       (array_agg(confidence ORDER BY kind, at DESC, id DESC))[1],
       (array_agg(reason ORDER BY kind, at DESC, id DESC))[1],
       (array_agg(coalesce(nullif(link_label, ''), link_target) ORDER BY kind, at DESC, id DESC))[1],
       CASE count(DISTINCT link) WHEN 1 THEN min(link) END,
       CASE count(DISTINCT delivery) WHEN 1 THEN min(delivery::text)::uuid END
  FROM tracking_signal
 WHERE email = %s AND class IN ('scanner', 'prefetch', 'self') AND NOT struck
   AND (at, id) > (%s, %s) AND (at, id) < (%s, %s)
 GROUP BY gap, class, class = 'self' AND kind = 'open'
"""


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
    """One page: signals one by one, and folds; ``older`` is where the next one begins, ``None`` where there is none."""

    signals: list[Signal]
    folds: list[Fold]
    older: Place | None


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
    """The newest ``size`` signals of an email that stand alone, with the folds between them; two queries."""
    start = before or BEGINNING
    found = Signal.objects.filter(email=email).exclude(_FOLDED)
    if before is not None:
        found = found.filter(Q(at__lt=before.at) | Q(at=before.at, id__lt=before.id), at__lte=before.at)
    signals = list(found.order_by("-at", "-id")[: size + 1])
    older = Place(signals[size - 1].at, signals[size - 1].id) if len(signals) > size else None
    signals = signals[:size]
    return History(signals, _folds(email, signals, start, older or END), older)


def _folds(email: UUID, signals: Sequence[Signal], start: Place, end: Place) -> list[Fold]:
    edges = [one.at for one in reversed(signals)]
    with connection.cursor() as cursor:
        cursor.execute(_FOLDS, [edges, email, end.at, end.id, start.at, start.id])
        rows = cursor.fetchall()
    return [Fold(*row[1:]) for row in rows]
