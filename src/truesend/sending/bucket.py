"""One token bucket to a client registration, shared by all workers through one row.

A provider's limits for a client count every mailbox of this installation together. A process leases some tokens by one
guarded UPDATE and spends them in memory, so that 300 sends a second cost the database a handful of statements. Who gets
none is told how long to wait, and no worker waits: the delivery's due time moves.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from truesend import clock
from truesend.providers import registry
from truesend.sending.models import ClientBucket

# What a process leased and did not spend by then is lost: it may not save up for a burst of its own.
LEASE_SECONDS = 2.0
# A lease is at most so much of a second's tokens, and whoever found none comes back after as long.
SHARE = 0.25

_LEASE = f"""
WITH now AS MATERIALIZED (
    SELECT bucket.provider,
           GREATEST(clock.time, bucket.refilled_at) AS time,
           LEAST(%(burst)s::float8, bucket.tokens
                 + GREATEST(0, EXTRACT(EPOCH FROM clock.time - bucket.refilled_at)) * %(rate)s) AS available,
           COALESCE(bucket.closed_until > %(now)s, FALSE) AS closed
    FROM {ClientBucket._meta.db_table} AS bucket, (SELECT clock_timestamp() AS time) AS clock
    WHERE bucket.provider = %(provider)s
    FOR UPDATE OF bucket
), lease AS (
    SELECT *, CASE WHEN closed THEN 0 ELSE LEAST(%(most)s, FLOOR(available)) END AS tokens FROM now
)
UPDATE {ClientBucket._meta.db_table} AS bucket
SET tokens = lease.available - lease.tokens, refilled_at = lease.time
FROM lease WHERE bucket.provider = lease.provider
RETURNING lease.tokens, lease.available, CASE WHEN lease.closed THEN bucket.closed_until END
"""  # noqa: S608  # our own table's name
_FILL = f"""
INSERT INTO {ClientBucket._meta.db_table} (provider, tokens, refilled_at)
VALUES (%(provider)s, %(burst)s, clock_timestamp()) ON CONFLICT DO NOTHING
"""  # noqa: S608
_DRAIN = f"""
INSERT INTO {ClientBucket._meta.db_table} AS bucket (provider, tokens, refilled_at, closed_until)
VALUES (%(provider)s, 0, clock_timestamp(), %(until)s)
ON CONFLICT (provider) DO UPDATE SET tokens = 0, refilled_at = GREATEST(bucket.refilled_at, excluded.refilled_at),
    closed_until = GREATEST(bucket.closed_until, excluded.closed_until)
"""  # noqa: S608


@dataclass
class _Lease:
    """What this process may still send for one client, until when, and what it asks for next."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: int = 0
    granted: int = 0
    until: float = 0.0
    # Nothing was to be had: not asked again before then, and something is expected only at the second.
    empty_until: float = 0.0
    expected_at: float = 0.0


_leases: dict[str, _Lease] = {}
_leases_lock = threading.Lock()


def take(provider: str) -> float:
    """One send with the provider's client: 0 to go now, else the seconds after which to ask again.

    Shared by every process on this database. Raises :class:`django.db.DatabaseError` where it cannot be asked. Not for
    use inside a transaction, which would keep the row from all others.
    """
    lease = _lease_of(provider)
    with lease.lock:
        now = clock.steady()
        if lease.tokens and now < lease.until:
            lease.tokens -= 1
            return 0.0
        if now < lease.empty_until:
            return lease.expected_at - now
        return _renew(provider, lease, now)


def drain(provider: str, until: datetime) -> None:
    """The provider refuses the whole client until then: nothing is given out before, by any process.

    What other processes have leased lapses within two seconds. A later time that was told already stands.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DRAIN, {"provider": provider, "until": until})
    lease = _lease_of(provider)
    with lease.lock:
        lease.tokens = lease.granted = 0
        lease.until = lease.empty_until = 0.0


def open_again(provider: str) -> datetime | None:
    """The provider takes the client's calls again before the time it had named; until when it was closed, if it was.

    It fills at its rate from now on, so nobody sends a burst.
    """
    with transaction.atomic():
        row = (
            ClientBucket.objects.select_for_update().filter(pk=provider, closed_until__gt=clock.now()).first()
        )
        if row is None:
            return None
        ClientBucket.objects.filter(pk=provider).update(closed_until=None)
    return row.closed_until


def _lease_of(provider: str) -> _Lease:
    with _leases_lock:
        return _leases.setdefault(provider, _Lease())


def _renew(provider: str, lease: _Lease, now: float) -> float:
    adapter = registry.provider(provider)
    rate, limits = adapter.client_rate(), adapter.limits
    burst = max(1.0, limits.client_burst * rate / limits.client_calls_per_second)
    most = min(_wanted(lease, now), max(1, int(min(rate * SHARE, burst))))
    tokens, available, closed_until = _ask(provider, rate=rate, burst=burst, most=most)
    lease.tokens, lease.granted, lease.until = tokens, tokens, now + LEASE_SECONDS
    if tokens:
        lease.tokens -= 1
        return 0.0
    if closed_until is not None:
        wait = max(0.0, (closed_until - clock.now()).total_seconds())
    else:
        wait = (1.0 - available) / rate
    wait = max(wait, SHARE)
    lease.empty_until, lease.expected_at = now + SHARE, now + wait
    return wait


def _wanted(lease: _Lease, now: float) -> int:
    """Twice the last lease where that was used up in time, else what was used of it: idle workers hoard nothing."""
    if now < lease.until:
        return max(1, lease.granted * 2)
    return max(1, lease.granted - lease.tokens)


def _ask(provider: str, *, rate: float, burst: float, most: int) -> tuple[int, float, datetime | None]:
    """(tokens leased, tokens that were there, until when the bucket is closed)."""
    asked: dict[str, str | float | datetime] = {
        "provider": provider,
        "rate": rate,
        "burst": burst,
        "most": most,
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, asked)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_FILL, asked)
            cursor.execute(_LEASE, asked)
            row = cursor.fetchone()
    return int(row[0]), float(row[1]), row[2]
