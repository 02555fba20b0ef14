"""What is to be noted now, and waking whoever does it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from procrastinate.exceptions import AlreadyEnqueued

from truesend import clock
from truesend.connections.models import Kind
from truesend.crm.models import Recording
from truesend.sending.models import Delivery


def _due(now: datetime) -> QuerySet[Recording]:
    """Where the connection stands, its grant lives, and nothing is to be left in peace for a while."""
    rests = Q(connection__recorder__rest_until__gt=now)
    allowed = Q(connection__kind=Kind.ORGANIZATION) | Q(
        connection__organization__personal_connections_allowed=True
    )
    return (
        Recording.objects.filter(
            allowed,
            due_at__lte=now,
            connection__disconnected_at=None,
            connection__token__dead_at=None,
            connection__token__isnull=False,
            connection__recorder__isnull=False,
        )
        .exclude(rests)
        .order_by("due_at", "id")
    )


def following(connection_id: UUID) -> Recording | None:
    """The next one of a connection that is due, with what it is about."""
    rows = _due(clock.now()).filter(connection_id=connection_id)
    return rows.select_related(
        "recipient", "delivery__email", "delivery__connection", "connection__organization"
    ).first()


def connections(most: int) -> list[UUID]:
    """Connections with something due; asked by the waker each second."""
    now = clock.now()
    if not Recording.objects.filter(due_at__lte=now).exists():
        return []
    return list(_due(now).order_by().values_list("connection_id", flat=True).distinct()[:most])


def mail_waits(provider: str) -> bool:
    """Whether mail of the same client is due: it goes first, since both draw on one budget."""
    return Delivery.objects.filter(due_at__lte=clock.now(), connection__provider=provider).exists()


def wake_all(most: int) -> None:
    """Put a job into the queue for every connection with something due, unless one waits there already."""
    for connection_id in connections(most):
        defer(connection_id)


def wake(connection_id: UUID) -> None:
    """The same for one, after the running transaction commits."""
    transaction.on_commit(lambda: defer(connection_id))


def defer(connection_id: UUID) -> None:
    """One job for one connection; its lock is the connection, so that two never ask at once."""
    from truesend.crm.tasks import record_sent

    name = f"record:{connection_id}"
    with suppress(AlreadyEnqueued):
        record_sent.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))
