"""Reading hits for the classifier: those of a delivery, and how many recipients a network came to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from truesend.tracking.classify import Seen
from truesend.tracking.rules import Rules

PER_DELIVERY = 1000
"""Hits of one delivery judged at once, new ones and earlier ones each."""

NEIGHBOURS = 5000
"""Hits of one network looked at to count its recipients."""

_HITS = """
SELECT d.delivery, h.* FROM unnest(%s::uuid[]) AS d(delivery), LATERAL (
    (SELECT id, at, kind, link, method, host(ip) AS ip, user_agent, headers, network, count, classified_at, reduced
       FROM tracking_hit WHERE delivery = d.delivery AND classified_at IS NULL ORDER BY id LIMIT %s)
    UNION ALL
    (SELECT id, at, kind, link, method, host(ip) AS ip, user_agent, headers, network, count, classified_at, reduced
       FROM tracking_hit WHERE delivery = d.delivery AND classified_at IS NOT NULL ORDER BY id DESC LIMIT %s)
) AS h
"""
_NEIGHBOURS = """
SELECT n.network, h.id, h.delivery, h.at
  FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[]) AS n(network, since, until),
       LATERAL (SELECT id, delivery, at FROM tracking_hit
                 WHERE network = n.network AND at BETWEEN n.since AND n.until ORDER BY at LIMIT %s) AS h
"""


@dataclass(frozen=True, slots=True)
class HitRow:
    """One row of ``tracking_hit``; ``reduced``: how much of its evidence is gone (:class:`Hit.Reduced`)."""

    id: int
    delivery: UUID
    network: str | None
    pending: bool
    reduced: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another hit from the same network."""

    id: int
    delivery: UUID
    at: datetime


def hits_of(deliveries: Sequence[UUID], most: int = PER_DELIVERY) -> dict[UUID, list[HitRow]]:
    """The hits of each delivery, oldest first: all pending ones up to the limit, and the latest others."""
    found: dict[UUID, list[HitRow]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_HITS, [list(deliveries), most, most])
        for row in cursor.fetchall():
            hit = _hit(row)
            found[hit.delivery].append(hit)
    for hits in found.values():
        hits.sort(key=lambda hit: (hit.seen.at, hit.id))
    return found


def neighbours_of(hits: Iterable[HitRow], rules: Rules) -> dict[str, list[Neighbour]]:
    """By network, what came from it shortly before, with and after ``hits``; oldest first."""
    reach = timedelta(seconds=rules.network_seconds)
    spans: list[tuple[str, datetime, datetime]] = []
    for hit in sorted((hit for hit in hits if hit.network), key=lambda hit: (hit.network, hit.seen.at)):
        assert hit.network is not None
        since, until = hit.seen.at - reach, hit.seen.at + reach
        if spans and spans[-1][0] == hit.network and since <= spans[-1][2]:
            spans[-1] = (hit.network, spans[-1][1], until)
        else:
            spans.append((hit.network, since, until))
    found: dict[str, list[Neighbour]] = defaultdict(list)
    if spans:
        with connection.cursor() as cursor:
            cursor.execute(_NEIGHBOURS, [*map(list, zip(*spans, strict=True)), NEIGHBOURS])
            for network, hit_id, delivery, at in cursor.fetchall():
                found[network].append(Neighbour(hit_id, delivery, at))
    for neighbours in found.values():
        neighbours.sort(key=lambda one: (one.at, one.id))
    return found


def crowds(neighbours: Sequence[Neighbour], rules: Rules) -> dict[int, int]:
    """By hit, to how many recipients its network came within the rules' seconds, where these are enough."""
    best: dict[int, int] = {}
    inside: dict[UUID, int] = defaultdict(int)
    start = 0
    for end, last in enumerate(neighbours):
        inside[last.delivery] += 1
        while (last.at - neighbours[start].at).total_seconds() > rules.network_seconds:
            first = neighbours[start]
            inside[first.delivery] -= 1
            if not inside[first.delivery]:
                del inside[first.delivery]
            start += 1
        if len(inside) >= rules.network_recipients:
            for one in neighbours[start : end + 1]:
                best[one.id] = max(best.get(one.id, 0), len(inside))
    return best


def _hit(row: tuple[Any, ...]) -> HitRow:
    (
        delivery,
        hit_id,
        at,
        kind,
        link,
        method,
        ip,
        user_agent,
        headers,
        network,
        count,
        classified_at,
        reduced,
    ) = row
    return HitRow(
        id=hit_id,
        delivery=delivery,
        network=network,
        pending=classified_at is None,
        reduced=reduced,
        seen=Seen(at, kind, link, method, ip, user_agent, json.loads(headers), count),
    )
