"""What tries that sent nothing have left in a mailbox, such as a draft among its people's own, is taken away.

The next try does so by itself. What none follows, since its email was refused, cancelled or sent by another one, is
taken away some time after it ended: lists are late, and what a dead worker began may come to pass after its end.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from truesend import clock, env
from truesend.connections import proofs, tokens
from truesend.connections.describe import with_facts
from truesend.connections.models import Connection, LedgerKind
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.contract import Evidence, Provider, Strays
from truesend.providers.errors import Outcome, ProviderError
from truesend.sending.models import Attempt, Delivery, DeliveryStatus

log = logging.getLogger("truesend.sending")

_ENDED = (DeliveryStatus.ACCEPTED, DeliveryStatus.REFUSED, DeliveryStatus.CANCELLED)
_AT_ONCE = 20
# Clocks differ, here and at the provider.
_MARGIN = timedelta(minutes=5)
_LATEST = timedelta(hours=1)
# A mailbox that takes nothing away for so long keeps it.
_GIVE_UP = timedelta(days=3)


def after(attempt: Attempt, provider: str, now: datetime) -> Mapping[str, datetime]:
    """The fields of a delivery of which ``attempt`` has turned out to have sent nothing: when to clear up after it."""
    begun = attempt.preparing or attempt.reference
    if not begun or not registry.provider(provider).leaves_behind:
        return {}
    return {"clear_at": now + timedelta(seconds=env.number("QUIET_TIME"))}


def due(most: int) -> list[UUID]:
    """Connections in whose mailbox something is to be cleared away now, the longest waiting first."""
    rows = Delivery.objects.filter(clear_at__lte=clock.now(), status__in=_ENDED).order_by("clear_at")
    found = dict.fromkeys(rows.values_list("connection_id", flat=True)[: most * 10])
    return list(found)[:most]


def clear(connection_id: UUID) -> None:
    """Clear up in one mailbox, after every email of it that has ended."""
    connection = with_facts(Connection.objects.filter(pk=connection_id)).first()
    if connection is None or not installation.may_act():
        return
    waiting = Delivery.objects.filter(
        connection=connection, status__in=_ENDED, clear_at__lte=clock.now()
    ).order_by("clear_at")[:_AT_ONCE]
    adapter = registry.provider(connection.provider)
    may = connection.disconnected_at is None and adapter.prepares(adapter.granted(connection.granted_scopes))
    for delivery in waiting:
        if not may:
            _note(delivery, None)
        elif not _clear_after(delivery, connection, adapter):
            return  # the others would meet the same


def _clear_after(delivery: Delivery, connection: Connection, adapter: Provider) -> bool:
    """Whether what its tries have left is taken away; otherwise it is tried again, ever more rarely."""
    attempts = list(delivery.attempts.order_by("number"))
    sent = next((one.reference for one in attempts if one.outcome == Outcome.ACCEPTED), "")
    left = [one.reference for one in attempts if one.outcome == Outcome.NOT_SENT and one.reference]
    mark, now = str(delivery.pk), clock.now()
    since = attempts[0].started_at - _MARGIN if attempts else now
    try:
        access = tokens.access_token(connection, trigger="clear_up")
        try:
            adapter.clear(access, left, Strays(mark, since, sent))
        except ProviderError as error:
            evidence = Evidence("read", False, "drafts.clear", error.cause, error.words, until=error.retry_at)
            proofs.record(connection, [evidence], kind=LedgerKind.PROBE, trigger="clear_up", ref=mark)
            raise
    except ProviderError as error:
        log.info("What a try left in a mailbox could not be taken away (%s).", error.cause)
        waited = now - since
        again = now + min(max(_MARGIN, waited / 2), _LATEST)
        _note(delivery, None if waited > _GIVE_UP else again)
        return False
    _note(delivery, None)
    return True


def _note(delivery: Delivery, at: datetime | None) -> None:
    Delivery.objects.filter(pk=delivery.pk, clear_at=delivery.clear_at).update(clear_at=at)
