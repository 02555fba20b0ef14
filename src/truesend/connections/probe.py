"""Asking the provider for what can be proved without sending: by “Verify now”, after a consent, on schedule."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

from truesend import clock
from truesend.connections import proofs, tokens
from truesend.connections.models import Connection, LedgerKind, Token
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.providers.errors import ProviderError

# Twice in the life of a proof of reading (26 hours), so that one lost probe makes nothing unproven.
BETWEEN = timedelta(hours=12)
RETRY = timedelta(minutes=15)


def verify(connection: Connection, *, trigger: str) -> None:
    """Probe the asked capabilities and record what the answers prove. Failures are recorded, not raised."""
    if connection.disconnected_at is not None or not installation.may_act():
        return
    planned = Token.objects.filter(pk=connection.pk).values_list("probe_due_at", flat=True).first()
    began = clock.now()
    worked = _ask(connection, trigger)
    if planned is None:
        return
    if Capability.READ not in _usable(connection):
        due = None
    else:
        due = began + (BETWEEN if worked else RETRY) * random.uniform(0.85, 1.0)  # noqa: S311
    # Only what was planned when we began: a consent that came meanwhile wants a probe of its own.
    Token.objects.filter(pk=connection.pk, probe_due_at=planned).update(probe_due_at=due)


def _ask(connection: Connection, trigger: str) -> bool:
    """Whether every answer was good."""
    adapter = registry.provider(connection.provider)
    usable = _usable(connection)
    began = clock.now()
    try:
        evidence = adapter.probe(tokens.access_token(connection, trigger=trigger), usable)
        if any(one.cause == "access_refused" for one in evidence):
            # The provider may have ended this access token early: a new one decides.
            began = clock.now()
            evidence = adapter.probe(tokens.access_token(connection, trigger=trigger, renew=True), usable)
    except ProviderError:
        return False  # the failed renewal is in the proofs already
    # Dated by the question: an answer to the old grant says nothing of the one that a consent brought meanwhile.
    proofs.record(connection, evidence, kind=LedgerKind.PROBE, trigger=trigger, at=began)
    return all(one.ok for one in evidence)


def _usable(connection: Connection) -> list[Capability]:
    granted = registry.provider(connection.provider).granted(connection.granted_scopes)
    return [one for one in map(Capability, connection.asked) if one in granted]


def plan(connection: Connection, now: datetime) -> None:
    """After a consent: reading, where it was permitted, is tried at once. A send is proved by a send alone."""
    reads = Capability.READ in _usable(connection)
    Token.objects.filter(pk=connection.pk).update(probe_due_at=now if reads else None)


def due(limit: int) -> list[UUID]:
    """Connections whose reading is to be tried, the longest due first, and whose grant is not known to be dead."""
    rows = Token.objects.filter(probe_due_at__lte=clock.now(), dead_at=None, connection__disconnected_at=None)
    return list(rows.order_by("probe_due_at").values_list("pk", flat=True)[:limit])


def probe_if_due(connection_id: UUID) -> None:
    """Probe one connection that is due. Claimed first by a later due time, which a death halfway leaves standing."""
    now = clock.now()
    claimed = Token.objects.filter(
        pk=connection_id, probe_due_at__lte=now, dead_at=None, connection__disconnected_at=None
    ).update(probe_due_at=now + RETRY)
    connection = Connection.objects.filter(pk=connection_id).first()
    if claimed == 1 and connection is not None:
        verify(connection, trigger="schedule")
