"""Turning hits into signals, as soon as they are in the table.

Runs in a thread of the worker. Several workers may run it: a delivery is judged by one at a time (advisory
lock). Each signal is an upsert by its hit, so judging again changes nothing, or corrects what was said before
newer evidence came (the second link of a burst turns the first click's "person" into "scanner").
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import psycopg
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Min

from truesend import clock, live_events
from truesend.tracking import context, rules
from truesend.tracking.classify import Trail, classify
from truesend.tracking.context import DeliveryContext
from truesend.tracking.evidence import HitRow, crowds, hits_of, neighbours_of
from truesend.tracking.models import Hit, Signal
from truesend.tracking.signals import Judged, count_again, upsert

log = logging.getLogger(__name__)

BATCH = 200
"""Deliveries judged in one transaction."""

PERIOD = 1.0
"""Seconds at most between two looks, should a NOTIFY get lost."""

REST = 3.0
"""How many times as long as judging some hits took it waits until the next, one ``PERIOD`` at most: in a flood answers
and rows go first. A hit by itself is judged at once."""

_RETRY = 2.0
_LOCK_SPACE = 0x7473_6967
_PENDING = """
SELECT DISTINCT delivery FROM
    (SELECT delivery FROM tracking_hit WHERE classified_at IS NULL ORDER BY id LIMIT %s) AS oldest LIMIT %s
"""
_LOCK = """
SELECT d FROM unnest(%s::uuid[]) AS d WHERE pg_try_advisory_xact_lock(%s, hashtext(d::text))
"""
# Guarded by the count: a flood's row that grew meanwhile stays pending.
_MARK = """
UPDATE tracking_hit AS h SET classified_at = %s
  FROM unnest(%s::bigint[], %s::int[]) AS done(id, count)
 WHERE h.id = done.id AND h.count = done.count AND h.classified_at IS NULL
"""
# Only what was taken for a person or left open, never a proxy's fetch; so judging it again ends there.
_JUDGE_AGAIN = """
UPDATE tracking_hit AS h SET classified_at = NULL
  FROM tracking_signal AS s
 WHERE h.id = ANY(%s) AND s.hit_id = h.id AND h.classified_at IS NOT NULL
   AND s.class IN ('person', 'unknown') AND s.rule NOT IN ('gmail', 'yahoo') AND h.reduced = 0
"""


def classify_pending(limit: int = BATCH) -> list[UUID]:
    """Judge up to ``limit`` deliveries that have new hits, in one transaction: those that were judged.

    Publishes the changed signals after the commit. Hits of deliveries that no longer exist are marked as done
    and get no signal.
    """
    with transaction.atomic():
        deliveries = _claim(limit)
        if not deliveries:
            return []
        hits = hits_of(deliveries)
        contexts = context.context_for(deliveries)
        pending = [hit for rows in hits.values() for hit in rows if hit.pending]
        crowd = _network_evidence([hit for hit in pending if hit.delivery in contexts])
        replies = first_replies(deliveries)
        judged: list[Judged] = []
        for delivery, rows in hits.items():
            about = contexts.get(delivery)
            if about is not None:
                found = judge(about, rows, crowd, replies.get(delivery))
                # What was judged once is corrected by evidence, never by its absence (it is dropped in time).
                judged += [
                    one
                    for one in found
                    if not one.hit.reduced and (one.hit.pending or one.answer.klass != "unknown")
                ]
        changed = upsert(judged) + count_again([hit.id for hit in pending if hit.reduced])
        _mark(pending)
        by_organization: dict[UUID, list[int]] = defaultdict(list)
        for organization, signal_id in changed:
            by_organization[organization].append(signal_id)
        for organization, ids in by_organization.items():
            live_events.publish(organization, "signal", ids)
    return deliveries


def run_classifier(stop: threading.Event) -> None:
    """Judge hits as they come until ``stop`` is set; survives a database that goes away."""
    failing = False
    while not stop.is_set():
        try:
            with _listener() as listener:
                listener.execute("LISTEN truesend_hits")
                if failing:
                    log.warning("Hits are classified again.")
                failing = False
                _listen(listener, stop)
        except (psycopg.Error, DatabaseError, InterfaceError) as error:
            if not failing:
                log.warning("Hits cannot be classified now (%s); trying again.", type(error).__name__)
            failing = True
        except Exception:
            log.exception("Classifying hits failed; trying again.")
            failing = True
        finally:
            connection.close()
        if failing:
            stop.wait(_RETRY)


def _listener() -> psycopg.Connection[tuple[object, ...]]:
    """A connection of its own to the database that Django uses."""
    place = connection.settings_dict
    return psycopg.connect(
        dbname=place["NAME"],
        user=place["USER"],
        password=place["PASSWORD"],
        host=place["HOST"],
        port=place["PORT"],
        autocommit=True,
        connect_timeout=5,
        application_name="truesend classifier",
    )


def _listen(listener: psycopg.Connection[tuple[object, ...]], stop: threading.Event) -> None:
    while not stop.is_set():
        while not stop.is_set():
            began = time.monotonic()
            if not classify_pending():
                break
            stop.wait(min(REST * (time.monotonic() - began), PERIOD))
        until = time.monotonic() + PERIOD
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            if any(True for _ in listener.notifies(timeout=min(left, 0.25), stop_after=1)):
                break


def _claim(limit: int) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, [limit * 20, limit])
        waiting = [row[0] for row in cursor.fetchall()]
    return lock(waiting) if waiting else []


def lock(deliveries: Sequence[UUID]) -> list[UUID]:
    """Those of the deliveries that nobody else is judging; they are this transaction's until it ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(deliveries), _LOCK_SPACE])
        return [row[0] for row in cursor.fetchall()]


def lock_all(deliveries: Sequence[UUID]) -> None:
    """Wait until nobody judges any of the deliveries; they are this transaction's until it ends."""
    with connection.cursor() as cursor:
        for delivery in sorted(deliveries):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK_SPACE, str(delivery)])


def crowd_of(hits: Sequence[HitRow]) -> dict[int, int]:
    """How many recipients the networks of hits came to at their time, by hit, where these are enough."""
    crowd: dict[int, int] = {}
    for neighbours in neighbours_of(hits, rules.CURRENT).values():
        crowd |= crowds(neighbours, rules.CURRENT)
    return crowd


def _network_evidence(pending: Sequence[HitRow]) -> Mapping[int, int]:
    """How many recipients each hit's network came to; earlier hits of such a network are judged again."""
    crowd = crowd_of(pending)
    others = crowd.keys() - {hit.id for hit in pending}
    if others and _any_new(hit.id for hit in pending if hit.id in crowd):
        with connection.cursor() as cursor:
            cursor.execute(_JUDGE_AGAIN, [sorted(others)])
    return crowd


def _any_new(hit_ids: Iterable[int]) -> bool:
    """Whether one of the hits has no signal yet; hits judged a second time disturb no others."""
    wanted = set(hit_ids)
    return len(wanted) > Signal.objects.filter(hit_id__in=wanted).count()


def first_replies(deliveries: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each delivery was first answered."""
    replies = Signal.objects.filter(delivery__in=deliveries, kind=Signal.Kind.REPLY)
    return dict(replies.values_list("delivery").annotate(first=Min("at")))


def judge(
    about: DeliveryContext, rows: Sequence[HitRow], crowd: Mapping[int, int], replied_at: datetime | None
) -> list[Judged]:
    """The answer for every hit of a delivery."""
    trail = Trail(
        sent_at=about.sent_at,
        delivered_at=about.delivered_at,
        links=len(about.links),
        hits=[replace(row.seen, network_recipients=crowd.get(row.id, 1)) for row in rows],
        sender_ips=about.sender_ips,
        sender_agents=about.sender_agents,
        sent_copy_behind_proxy=about.sent_copy_behind_proxy,
        recipients=len(about.recipients),
        replied_at=replied_at,
        sender_on_this_machine=about.sender_on_this_machine,
    )
    return [Judged(about, row, answer) for row, answer in zip(rows, classify(trail), strict=True)]


def _mark(pending: Sequence[HitRow]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [clock.now(), [hit.id for hit in pending], [hit.seen.count for hit in pending]])


def waiting() -> int:
    """How many hits are not judged yet, for diagnostics."""
    return Hit.objects.filter(classified_at=None).count()
