"""A token endpoint that fails whoever asks: renewals of its provider wait for one that tries.

Twenty thousand connections must not each ask a provider that is down, or that refuses this installation's own client,
every two minutes. After a few failures in a row, each of another connection, one alone asks each minute or so; the
first good answer, of whomever, lets all go on. Those that are overdue say meanwhile what the one was told.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import Error as DatabaseUnable
from django.db.models import QuerySet

from truesend import clock, live_events
from truesend.connections.causes import cause
from truesend.connections.models import Outage
from truesend.connections.schedule import LONGEST_ASKED
from truesend.prepared import execute
from truesend.providers.errors import ProviderError

log = logging.getLogger("truesend.connections")

# In a row, each of another connection than the one before.
MISSES = 5
# Seconds between two that try; never more than a quarter of an hour may pass until an outage's end is noticed.
ASK_AFTER = (60.0, 100.0)
# Beside what is wrong with our own client, which the table of causes knows.
_DOWN = frozenset(
    {
        "provider_unreachable",
        "provider_timeout",
        "provider_cut_off",
        "provider_error",
        "provider_garbage",
        "throttled",
        "client_throttled",
        "project_limit",
    }
)
# A look at the table is believed so long.
_KEEP_SECONDS = 1.0
_TOLD_AT_ONCE = 500

_MISS = b"""
INSERT INTO connections_outage AS known (provider, misses, last_missed, cause, words, began_at, ask_at)
VALUES (%(provider)s, 1, %(connection)s, %(cause)s, %(words)s, %(now)s, NULL)
ON CONFLICT (provider) DO UPDATE
   SET misses = known.misses + (known.last_missed IS DISTINCT FROM excluded.last_missed)::int,
       last_missed = excluded.last_missed, cause = excluded.cause, words = excluded.words,
       ask_at = CASE WHEN known.misses + (known.last_missed IS DISTINCT FROM excluded.last_missed)::int >= %(most)s
                     THEN greatest(known.ask_at, %(ask)s) END
RETURNING ask_at IS NOT NULL, misses
"""
_TELL = b"""
INSERT INTO connections_proof AS known (connection_id, check_name, ok, cause, call, words, at, until)
SELECT t.connection_id, 'renew', false, o.cause, 'token.refresh', o.words, %(now)s, NULL
  FROM connections_outage o JOIN connections_token t ON t.provider = o.provider
 WHERE o.provider = %(provider)s AND o.ask_at IS NOT NULL AND t.due_at <= %(now)s AND t.dead_at IS NULL
   AND NOT EXISTS (SELECT FROM connections_proof p
                    WHERE p.connection_id = t.connection_id AND p.check_name = 'renew' AND NOT p.ok
                      AND p.at >= o.began_at)
 ORDER BY t.connection_id LIMIT %(most)s
ON CONFLICT (connection_id, check_name, ok) DO UPDATE
   SET cause = excluded.cause, call = excluded.call, words = excluded.words, at = excluded.at, until = NULL
 WHERE known.at <= excluded.at
RETURNING connection_id, (SELECT organization_id FROM connections_connection c WHERE c.id = known.connection_id)
"""


def concerns_all(code: str) -> bool:
    """Whether a renewal that failed for this cause says something of every other connection's."""
    return code in _DOWN or cause(code).of_the_client


def miss(provider: str, connection: UUID, error: ProviderError) -> None:
    """Count a renewal that failed; what concerns its grant alone counts nothing. Not for use in a transaction."""
    if not concerns_all(error.cause):
        return
    now = clock.now()
    ask = now + timedelta(seconds=random.uniform(*ASK_AFTER))  # noqa: S311
    if error.retry_at is not None:
        ask = max(ask, min(error.retry_at, now + LONGEST_ASKED))
    values = {
        "provider": provider,
        "connection": connection,
        "cause": error.cause[:60],
        "words": error.words[:500],
        "now": now,
        "ask": ask,
        "most": MISSES,
    }
    try:
        ((waits, misses),) = execute(_MISS, values)
        _watch.forget()
        if waits:
            if misses == MISSES:
                log.warning("Renewals at %s wait (%s); one tries each minute.", provider, error.cause)
            _tell(provider, now)
    except DatabaseUnable as unable:
        # The next one that fails tells the same.
        log.info("A failed renewal could not be counted (%s).", type(unable).__name__)


def _tell(provider: str, now: datetime) -> None:
    """Whoever is overdue shows why."""
    while told := execute(_TELL, {"provider": provider, "now": now, "most": _TOLD_AT_ONCE}):
        for connection_id, organization_id in told:
            live_events.publish_soon(organization_id, "verdict", [connection_id])


def lift(provider: str) -> None:
    """Somebody has repaired what kept the renewals of ``provider`` waiting: they go on at once."""
    Outage.objects.filter(pk=provider).delete()


def waiting() -> QuerySet[Outage, str]:
    """Names of the providers whose renewals wait."""
    return Outage.objects.filter(ask_at__isnull=False).values_list("provider", flat=True)


def standing(provider: str) -> ProviderError:
    """What the one that tried was told last."""
    row = Outage.objects.filter(pk=provider).first()
    return ProviderError(row.cause, row.words) if row is not None else ProviderError("provider_error", "")


@dataclass(frozen=True)
class _Seen:
    """When one may ask again, by provider, and until when that is believed (monotonic)."""

    ask_at: dict[str, datetime]
    until: float


class _Watch:
    """What this process last saw of the table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = _Seen({}, float("-inf"))

    def forget(self) -> None:
        """Look again."""
        self._seen = _Seen({}, float("-inf"))

    def turns(self) -> dict[str, datetime]:
        """When one may ask again, by provider, of those whose renewals wait."""
        return self._look()

    def may_ask(self, provider: str) -> bool:
        """Whether a renewal may be tried now. Where its provider is down this takes the one turn that there is."""
        ask_at = self._look().get(provider)
        if ask_at is None:
            return True
        now = clock.now()
        if ask_at > now:
            return False
        after = now + timedelta(seconds=random.uniform(*ASK_AFTER))  # noqa: S311
        self.forget()
        return Outage.objects.filter(provider=provider, ask_at__lte=now).update(ask_at=after) == 1

    def _look(self) -> dict[str, datetime]:
        seen = self._seen
        if time.monotonic() > seen.until:
            with self._lock:
                if self._seen is seen:
                    until = time.monotonic() + _KEEP_SECONDS
                    rows = Outage.objects.filter(ask_at__isnull=False).values_list("provider", "ask_at")
                    self._seen = _Seen({name: at for name, at in rows if at is not None}, until)
            seen = self._seen
        return seen.ask_at


_watch = _Watch()
may_ask = _watch.may_ask
turns = _watch.turns
