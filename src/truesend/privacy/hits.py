"""What becomes of hits, by their organization's level and by their age: the one place that shortens, drops and deletes.

A hit is left alone until it is *settled*: judged, and nothing that comes later can be a reason to judge it otherwise
(:data:`SETTLED_AFTER`). From then on its answer stands, whatever evidence goes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from truesend.organizations.models import Privacy
from truesend.tracking import rules, shorten
from truesend.tracking.models import Hit

_RULES = rules.CURRENT
SETTLED_AFTER = timedelta(
    seconds=max(
        _RULES.quick_open, _RULES.burst_all, _RULES.burst_two, _RULES.burst_company, _RULES.network_seconds
    )
    + 300
)
"""The longest time over which one hit is a reason for another, and five minutes for what arrives late."""

USELESS_AFTER = timedelta(days=1)
"""A hit of which nothing but its answer is left goes then, and one whose email is gone."""

_CLOCK_SET_BACK = timedelta(minutes=1)

COLUMNS = """
h.id, h.at, h.classified_at, h.reduced, o.privacy, o.evidence_days,
EXISTS (SELECT FROM tracking_forgotten AS f WHERE f.delivery = h.delivery)
"""
"""What :class:`Facts` are made of; ``h`` is the hit, :data:`OWNERS` joins the rest."""

OWNERS = """
LEFT JOIN sending_delivery AS d ON d.id = h.delivery
LEFT JOIN sending_email AS e ON e.id = d.email_id
LEFT JOIN organizations_organization AS o ON o.id = e.organization_id
"""

_EVIDENCE = "SELECT id, host(ip), user_agent, headers FROM tracking_hit WHERE id = ANY(%s)"
# Guarded: a flood's row that grew meanwhile is judged again first.
_SHORTEN = """
UPDATE tracking_hit AS h SET ip = new.ip, user_agent = new.agent, headers = new.headers, reduced = 1
  FROM unnest(%s::bigint[], %s::inet[], %s::text[], %s::jsonb[]) AS new(id, ip, agent, headers)
 WHERE h.id = new.id AND h.reduced < 1 AND h.classified_at IS NOT NULL
"""
_DROP = """
UPDATE tracking_hit SET ip = NULL, network = NULL, user_agent = '', headers = '{}', reduced = 2
 WHERE id = ANY(%s) AND reduced < 2 AND classified_at IS NOT NULL
"""
_DELETE = "DELETE FROM tracking_hit WHERE id = ANY(%s) AND classified_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Facts:
    """A hit as far as what becomes of it depends on it; ``privacy`` is ``None`` where its email is gone."""

    id: int
    at: datetime
    classified_at: datetime | None
    reduced: int
    privacy: str | None
    evidence_days: int | None
    forgotten: bool


def is_settled(classified_at: datetime | None, now: datetime) -> bool:
    """Whether an answer stands. One of the future was given before the sandbox's clock was set back."""
    if classified_at is None:
        return False
    return not now - SETTLED_AFTER < classified_at <= now + _CLOCK_SET_BACK


@dataclass(slots=True)
class Done:
    """How many hits were changed how."""

    shortened: int = 0
    dropped: int = 0
    deleted: int = 0

    def __bool__(self) -> bool:
        return bool(self.shortened or self.dropped or self.deleted)


def treat(found: Sequence[Facts], now: datetime) -> Done:
    """Do to each hit what its organization wants, inside the running transaction; unsettled ones are left alone."""
    todo: dict[str, list[int]] = {"shorten": [], "drop": [], "delete": []}
    for one in found:
        if (what := _fate(one, now)) is not None:
            todo[what].append(one.id)
    return Done(
        shortened=_shorten(todo["shorten"]),
        dropped=_run(_DROP, todo["drop"]),
        deleted=_run(_DELETE, todo["delete"]),
    )


def _fate(one: Facts, now: datetime) -> str | None:
    if one.classified_at is None:
        return None
    if one.forgotten:
        return "delete"
    is_useless = now - one.classified_at >= USELESS_AFTER
    if one.privacy is None or one.evidence_days is None:
        return "delete" if is_useless else None
    if not is_settled(one.classified_at, now):
        return None
    if now - one.at >= timedelta(days=one.evidence_days):
        return "delete"
    if one.privacy == Privacy.VERDICT:
        if one.reduced == Hit.Reduced.DROPPED:
            return "delete" if is_useless else None
        return "drop"
    shortens = one.privacy == Privacy.TRUNCATED and one.reduced == Hit.Reduced.NOT
    return "shorten" if shortens else None


def _shorten(ids: list[int]) -> int:
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_EVIDENCE, [ids])
        rows = [
            (hit, shorten.address(ip), shorten.agent(agent), Jsonb(shorten.headers(json.loads(headers))))
            for hit, ip, agent, headers in cursor.fetchall()
        ]
    return _run(_SHORTEN, *map(list, zip(*rows, strict=True))) if rows else 0


def _run(statement: str, *values: list[Any]) -> int:
    if not values[0]:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
