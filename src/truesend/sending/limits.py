"""What waits for the hour at which a provider's limit ends goes at once where an answer shows that it has ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from truesend import clock
from truesend.connections.causes import CAUSES
from truesend.connections.describe import describe, with_facts
from truesend.connections.models import Connection
from truesend.sending import bucket, holding, readiness
from truesend.sending.models import Delivery, DeliveryStatus

_LIMITS = [code for code in CAUSES if readiness.opens_by_itself(code)]
# Of all mailboxes together.
_OF_THE_CLIENT = "project_limit"
# What waits for a closed client is due about when it opens.
_ABOUT = timedelta(seconds=5)


def answered(connection: Connection) -> None:
    """After good answers from the provider: let go what a limit keeps waiting in a mailbox that no longer shows one."""
    now = clock.now()
    held = Delivery.objects.filter(
        connection=connection,
        status=DeliveryStatus.QUEUED,
        due_at__gt=now,
        held_cause__in=_LIMITS,
    )
    causes = set(held.values_list("held_cause", flat=True).distinct())
    if not causes:
        return
    mailbox = describe(with_facts(Connection.objects.filter(pk=connection.pk)).get(), now)
    if not readiness.can_send(mailbox):
        return
    if _OF_THE_CLIENT in causes and (closed := bucket.open_again(connection.provider)) is not None:
        # By then every process has seen it open.
        now += timedelta(seconds=2 * bucket.SHARE)
        _go_on(connection.provider, closed, now)
    holding.go_on(connection.pk, causes, now)


def _go_on(provider: str, closed: datetime, now: datetime) -> None:
    """Whoever only waited for the client, in every mailbox; what met the limit itself waits for its own answer."""
    waiting = Delivery.objects.filter(
        Q(email__send_at=None) | Q(email__send_at__lte=now),
        connection__provider=provider,
        status=DeliveryStatus.QUEUED,
        held_cause="",
        due_at__range=(max(now, closed - _ABOUT), closed + _ABOUT),
    )
    waiting.update(due_at=now)
