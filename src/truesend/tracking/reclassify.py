"""``truesend reclassify``: history judged again by the rules of now.

A signal says which version of the rules it rests on; those of another version are the work. So it may be stopped
at any time, goes on where it was, and may run beside the worker: a delivery is judged by one at a time. What a
member struck stays struck. What cannot be judged again keeps its answer: hits whose evidence was dropped, and
deliveries that no longer exist; and nobody who was known to be the sender becomes a recipient, because addresses
may have been shortened since.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction

from truesend import live_events
from truesend.tracking import context, rules
from truesend.tracking.classifier import crowd_of, first_replies, judge, lock
from truesend.tracking.evidence import HitRow, hits_of
from truesend.tracking.models import Signal
from truesend.tracking.signals import Judged, upsert

BATCH = 500
"""Signals looked for in one transaction; with them all others of their deliveries are judged."""

PER_DELIVERY = 20_000
"""Hits of one delivery judged together."""

BY_DEVICE = frozenset({"sender_address", "burst", "burst_company", "flood", "crowd"})
"""Rules that rest on the whole address, or on which device did what; a shortened hit no longer tells it."""

_EVERY = 2.0  # seconds between two lines of progress
_BUSY = 0.2  # seconds until a delivery is asked for again that the worker is judging
_TOTAL = "SELECT count(*) FROM tracking_signal WHERE hit_id IS NOT NULL AND rules_version <> %s"
_NEXT = """
SELECT id, delivery FROM tracking_signal
 WHERE id > %s AND hit_id IS NOT NULL AND rules_version <> %s ORDER BY id LIMIT %s
"""
# Guarded by the version: what another run or the worker has judged meanwhile is theirs.
_DONE = """
UPDATE tracking_signal SET rules_version = %s WHERE hit_id = ANY(%s) AND rules_version <> %s
"""


@dataclass
class Progress:
    """How far it is: signals that rest on other rules, looked at, judged, kept as they were, and changed how."""

    total: int
    seen: int = 0
    judged: int = 0
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def sentence(self) -> str:
        """For whoever waits."""
        return (
            f"{self.seen:,} of {self.total:,} signals looked at, {self.judged:,} judged by version "
            f"{rules.CURRENT.version} of the rules, {self.changed.total():,} changed."
        )


def reclassify(tell: Callable[[Progress], None], batch: int = BATCH) -> Progress:
    """Judge every signal again that rests on another version of the rules; ``tell`` hears after each batch."""
    version = rules.CURRENT.version
    with connection.cursor() as cursor:
        cursor.execute(_TOTAL, [version])
        progress = Progress(cursor.fetchone()[0])
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [last, version, batch])
            rows = cursor.fetchall()
        if not rows:
            return progress
        _judge_all(sorted({delivery for _, delivery in rows}), progress)
        last = rows[-1][0]
        progress.seen += len(rows)
        tell(progress)


def _judge_all(deliveries: Sequence[UUID], progress: Progress) -> None:
    """Judge deliveries, those that the worker has in hand as soon as it lets go of them."""
    left = list(deliveries)
    while left:
        done = _judge_some(left, progress)
        left = [delivery for delivery in left if delivery not in done]
        if left:
            time.sleep(_BUSY)


def _judge_some(deliveries: Sequence[UUID], progress: Progress) -> set[UUID]:
    """In one transaction, those that nobody else is judging."""
    version = rules.CURRENT.version
    with transaction.atomic():
        locked = lock(deliveries)
        contexts = context.context_for(locked)
        old = Signal.objects.filter(delivery__in=locked).exclude(rules_version=version)
        answers = {hit: (klass, rule) for hit, klass, rule in old.values_list("hit_id", "klass", "rule")}
        before = {hit: klass for hit, (klass, _) in answers.items() if hit is not None}
        hits = hits_of(locked, PER_DELIVERY)
        crowd = crowd_of([row for rows in hits.values() for row in rows if row.delivery in contexts])
        replies = first_replies(locked)
        judged: list[Judged] = []
        for delivery, rows in hits.items():
            about = contexts.get(delivery)
            if about is not None:
                found = judge(about, rows, crowd, replies.get(delivery))
                judged += [
                    one for one in found if one.hit.id in before and _is_told(one, *answers[one.hit.id])
                ]
        by_organization: dict[UUID, list[int]] = defaultdict(list)
        for organization, signal_id in upsert(judged):
            by_organization[organization].append(signal_id)
        for organization, ids in by_organization.items():
            live_events.publish(organization, "signal", ids)
        with connection.cursor() as cursor:
            cursor.execute(_DONE, [version, [one.hit.id for one in judged], version])
    progress.judged += len(judged)
    progress.changed.update(
        (before[one.hit.id], one.answer.klass) for one in judged if before[one.hit.id] != one.answer.klass
    )
    return set(locked)


def _is_told(one: Judged, klass: str, rule: str) -> bool:
    """Whether the hit's evidence still stands, so that its answer may replace the one before."""
    if klass == Signal.Klass.SELF:
        return one.answer.klass == Signal.Klass.SELF
    if one.hit.reduced and rule in BY_DEVICE:
        return False
    return _has_evidence(one.hit)


def _has_evidence(row: HitRow) -> bool:
    seen = row.seen
    return bool(seen.user_agent or seen.headers or seen.ip)


def run() -> int:
    """The command, with its progress on standard error and what changed on standard output."""
    heard = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal heard
        if time.monotonic() - heard >= _EVERY:
            heard = time.monotonic()
            print(progress.sentence, file=sys.stderr, flush=True)

    try:
        progress = reclassify(tell)
    except KeyboardInterrupt:
        print("Stopped. What was judged stays; run it again to go on.", file=sys.stderr)
        raise
    if not progress.seen:
        print(f"Every signal rests on version {rules.CURRENT.version} of the rules.")
        return 0
    print(progress.sentence)
    for (old, new), count in progress.changed.most_common():
        print(f"  {count:,} {old} now {new}")
    if kept := progress.seen - progress.judged:
        print(f"{kept:,} keep their answer: their evidence or their email is gone, or they are the sender’s.")
    return 0
