"""Writing signals: one to a hit, however often it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from truesend import clock
from truesend.tracking import rules
from truesend.tracking.classify import Classified
from truesend.tracking.context import DeliveryContext, TrackedLink
from truesend.tracking.evidence import HitRow

_NO_LINK = TrackedLink(-1, "", "")
_UPSERT = """
INSERT INTO tracking_signal AS old
    (organization, email, delivery, hit_id, kind, class, confidence, reason, rule, rules_version, at,
     link, link_label, link_target, recipient, count, changed_at)
SELECT * FROM unnest(
    %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::float8[], %s::text[],
    %s::text[], %s::text[], %s::timestamptz[], %s::int[], %s::text[], %s::text[], %s::text[], %s::int[],
    %s::timestamptz[])
ON CONFLICT (hit_id) DO UPDATE SET
    class = excluded.class, confidence = excluded.confidence, reason = excluded.reason, rule = excluded.rule,
    rules_version = excluded.rules_version, count = excluded.count, changed_at = excluded.changed_at
WHERE (old.class, old.confidence, old.reason, old.rule, old.count)
    IS DISTINCT FROM (excluded.class, excluded.confidence, excluded.reason, excluded.rule, excluded.count)
RETURNING organization, id
"""


# A flood's row may grow while its evidence goes: the answer stands, the sum stays exact.
_COUNT_AGAIN = """
UPDATE tracking_signal AS s SET count = h.count, changed_at = %s
  FROM tracking_hit AS h WHERE h.id = ANY(%s) AND s.hit_id = h.id AND s.count <> h.count
RETURNING s.organization, s.id
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """A hit, the delivery it belongs to, and what was found."""

    about: DeliveryContext
    hit: HitRow
    answer: Classified


def upsert(judged: Sequence[Judged]) -> list[tuple[UUID, int]]:
    """Write signals inside the running transaction: ``(organization, id)`` of the new and changed ones."""
    if not judged:
        return []
    now = clock.now()
    rows = [(*_row(one), now) for one in judged]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [list(column) for column in zip(*rows, strict=True)])
        return [(organization, signal_id) for organization, signal_id in cursor.fetchall()]


def count_again(hits: Sequence[int]) -> list[tuple[UUID, int]]:
    """Bring the counts of the hits' signals up to date, and leave their answers: ``(organization, id)`` of those."""
    if not hits:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_AGAIN, [clock.now(), list(hits)])
        return [(organization, signal_id) for organization, signal_id in cursor.fetchall()]


def _row(one: Judged) -> tuple[object, ...]:
    about, seen, answer = one.about, one.hit.seen, one.answer
    link = next((link for link in about.links if link.index == seen.link), _NO_LINK)
    return (
        about.organization,
        about.email,
        about.delivery,
        one.hit.id,
        seen.kind,
        answer.klass,
        answer.confidence,
        answer.reason,
        answer.rule,
        rules.CURRENT.version,
        seen.at,
        seen.link,
        link.text,
        link.target,
        about.recipients[0] if len(about.recipients) == 1 else None,
        seen.count,
    )
