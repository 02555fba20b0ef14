"""Signals without a hit: what a mail that came back says of a delivery. One row each; whoever writes them asks once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from truesend import clock

_INSERT = """
INSERT INTO tracking_signal
    (organization, email, delivery, kind, class, confidence, reason, rule, rules_version, at, recipient, changed_at)
SELECT * FROM unnest(
    %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::float8[], %s::text[], %s::text[], %s::text[],
    %s::timestamptz[], %s::text[], %s::timestamptz[])
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One signal; ``klass`` is `person` where somebody wrote it, `unknown` for a program's word."""

    organization: UUID
    email: UUID
    delivery: UUID
    kind: str
    klass: str
    confidence: float
    reason: str
    rule: str
    rules_version: str
    at: datetime
    recipient: str | None


def tell(told: Sequence[Told]) -> list[int]:
    """Write them inside the running transaction; their ids."""
    if not told:
        return []
    now = clock.now()
    rows = [
        (
            one.organization,
            one.email,
            one.delivery,
            one.kind,
            one.klass,
            one.confidence,
            one.reason,
            one.rule,
            one.rules_version,
            one.at,
            one.recipient,
            now,
        )
        for one in told
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])
        return [signal_id for (signal_id,) in cursor.fetchall()]
