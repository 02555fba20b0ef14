"""What is to be noted now, and waking whoever does it."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from truesend import clock
from truesend.connections.models import Kind
from truesend.crm.models import Recording
from truesend.sending.models import Delivery

# Of so many with something due the next ones are chosen.
_LOOKED_AT = 200


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
    """Connections with something due."""
    now = clock.now()
    if not Recording.objects.filter(due_at__lte=now).exists():
        return []
    return list(_due(now).order_by().values_list("connection_id", flat=True).distinct()[:most])


def mail_waits(provider: str) -> bool:
    """Whether mail of the same client is due: it goes first, since both draw on one budget."""
    return Delivery.objects.filter(due_at__lte=clock.now(), connection__provider=provider).exists()


def wake_all(most: int) -> None:
    """Let so many jobs, of all workers together, be at it, each for another connection; asked by the waker."""
    due = {_lock(one): one for one in connections(_LOOKED_AT)}
    if not due:
        return
    jobs = ProcrastinateJob.objects.filter(status__in=("todo", "doing"), task_name="record_sent")
    busy = set(jobs.values_list("queueing_lock", flat=True))
    idle = [one for name, one in due.items() if name not in busy]
    # By chance, so that nobody's long list keeps the others waiting.
    for connection_id in random.sample(idle, min(len(idle), max(0, most - len(busy)))):
        defer(connection_id)


def defer(connection_id: UUID) -> None:
    """One job for one connection; its lock is the connection, so that two never ask at once."""
    from truesend.crm.tasks import record_sent

    name = _lock(connection_id)
    with suppress(AlreadyEnqueued):
        record_sent.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))


def _lock(connection_id: UUID) -> str:
    return f"record:{connection_id}"
