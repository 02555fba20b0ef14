"""The walks over hits and signals, a step at a time; each step is one transaction and holds its walk's row."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from django.db import connection, transaction

from truesend import clock, live_events
from truesend.organizations.models import Organization
from truesend.privacy.hits import COLUMNS, OWNERS, Facts, is_settled, treat
from truesend.privacy.models import Pass
from truesend.tracking.models import Hit

STEP = 1000
"""Rows of one step."""

EVERY = timedelta(days=1)
"""From the end of one walk over everything to the beginning of the next."""

# By id alone, so that a step costs the same in a table of any size.
_HITS = f"""
SELECT {COLUMNS} FROM (
    SELECT * FROM tracking_hit WHERE id > %s AND (%s::bigint IS NULL OR id <= %s) ORDER BY id LIMIT %s
) AS h {OWNERS} ORDER BY h.id
"""  # noqa: S608
_SIGNALS = """
SELECT s.id, s.hit_id, s.organization, s.at < %s - make_interval(months => o.signal_months)
  FROM (SELECT id, hit_id, organization, at FROM tracking_signal WHERE id > %s AND id <= %s
         ORDER BY id LIMIT %s) AS s
  LEFT JOIN organizations_organization AS o ON o.id = s.organization
 ORDER BY s.id
"""
# With its hit, or judging the email again would bring the signal back.
_DELETE_HITS = "DELETE FROM tracking_hit WHERE id = ANY(%s)"
_DELETE_SIGNALS = "DELETE FROM tracking_signal WHERE id = ANY(%s)"
# And with the mail that it was read from.
_DELETE_ARRIVALS = """
DELETE FROM inbox_arrival AS a USING tracking_signal AS s
 WHERE s.id = ANY(%s) AND s.hit_id IS NULL AND a.delivery_id = s.delivery AND a.at = s.at
"""


def judged() -> bool:
    """Shorten or drop what has settled since the last look; whether there is more to do at once."""
    now = clock.now()
    following = Hit.objects.filter(pk__gt=_cursor(Pass.Name.JUDGED)).order_by("pk")
    if not is_settled(following.values_list("classified_at", flat=True).first(), now):
        return False
    with transaction.atomic():
        walk = _taken(Pass.Name.JUDGED)
        if walk is None:
            return False
        # The first that is not settled ends the step: behind it lies what came later.
        ready = list(takewhile(lambda one: is_settled(one.classified_at, now), _hits(walk.cursor, None)))
        if not ready:
            return False
        treat(ready, now)
        _move(walk, cursor=ready[-1].id)
        return len(ready) == STEP


def kept() -> bool:
    """A step of the daily walk over all hits: what is older than its organization keeps goes."""
    if not _is_due(Pass.Name.KEPT):
        return False
    with transaction.atomic():
        walk = _begun(Pass.Name.KEPT, "SELECT max(id) FROM tracking_hit")
        if walk is None:
            return False
        found = _hits(walk.cursor, walk.until)
        treat(found, clock.now())
        return _step(walk, found[-1].id if len(found) == STEP else None)


def signals() -> bool:
    """A step of the daily walk over all signals: those older than their organization keeps go, with their hits."""
    if not _is_due(Pass.Name.SIGNALS):
        return False
    with transaction.atomic():
        walk = _begun(Pass.Name.SIGNALS, "SELECT max(id) FROM tracking_signal")
        if walk is None:
            return False
        if not Organization.objects.filter(signal_months__isnull=False).exists():
            return _step(walk, None)
        with connection.cursor() as cursor:
            cursor.execute(_SIGNALS, [clock.now(), walk.cursor, walk.until, STEP])
            rows = cursor.fetchall()
            old = [row for row in rows if row[3]]
            cursor.execute(_DELETE_HITS, [[hit for _, hit, _, _ in old if hit is not None]])
            cursor.execute(_DELETE_ARRIVALS, [[signal for signal, *_ in old]])
            cursor.execute(_DELETE_SIGNALS, [[signal for signal, *_ in old]])
        for organization in {row[2] for row in old}:
            live_events.publish(organization, "signal", [row[0] for row in old if row[2] == organization])
        return _step(walk, rows[-1][0] if len(rows) == STEP else None)


def hurry() -> None:
    """Begin the daily walks anew now: what is kept has become less."""
    now = clock.now()
    for name in (Pass.Name.KEPT, Pass.Name.SIGNALS):
        fresh = {"cursor": 0, "until": None, "due_at": now}
        if not Pass.objects.filter(pk=name).update(**fresh):
            Pass.objects.get_or_create(pk=name, defaults=fresh)


def _hits(after: int, until: int | None) -> list[Facts]:
    with connection.cursor() as cursor:
        cursor.execute(_HITS, [after, until, until, STEP])
        return [Facts(*row) for row in cursor.fetchall()]


def _cursor(name: str) -> int:
    """How far a walk is, without holding it: to hold is to write, which an idle worker shall not do."""
    return Pass.objects.filter(pk=name).values_list("cursor", flat=True).first() or 0


def _is_due(name: str) -> bool:
    found = Pass.objects.filter(pk=name).first()
    return found is None or found.until is not None or _lets_begin(found.due_at, clock.now())


def _lets_begin(due_at: datetime, now: datetime) -> bool:
    """Whether it is time. Due in the far future a walk was before the sandbox's clock was set back."""
    return not now < due_at <= now + EVERY


def _taken(name: str) -> Pass | None:
    """The walk's row, which is ours until the transaction ends; ``None`` while somebody else has it."""
    if not Pass.objects.filter(pk=name).exists():
        Pass.objects.get_or_create(pk=name, defaults={"due_at": clock.now()})
    return Pass.objects.select_for_update(skip_locked=True).filter(pk=name).first()


def _begun(name: str, last: str) -> Pass | None:
    """A walk that is under way or due, with its end."""
    walk = _taken(name)
    if walk is None:
        return None
    if walk.until is None:
        now = clock.now()
        if not _lets_begin(walk.due_at, now):
            return None
        with connection.cursor() as cursor:
            cursor.execute(last)
            (walk.until,) = cursor.fetchone()
        if walk.until is None:
            _move(walk, due_at=now + EVERY)
            return None
        _move(walk, cursor=0, until=walk.until)
        walk.cursor = 0
    return walk


def _step(walk: Pass, cursor: int | None) -> bool:
    """Note how far the walk has come; without a cursor it has ended. Whether it goes on."""
    if cursor is None:
        _move(walk, cursor=0, until=None, due_at=clock.now() + EVERY)
        return False
    _move(walk, cursor=cursor)
    return True


def _move(walk: Pass, **to: int | datetime | None) -> None:
    fields: dict[str, Any] = dict(to)
    Pass.objects.filter(pk=walk.pk).update(**fields)
