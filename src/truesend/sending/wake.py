"""Wake-ups: a job says "look at this mailbox"; the rows say what is to do there."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from truesend import clock
from truesend.sending.models import Delivery


def mailbox(connection_id: UUID) -> None:
    """Wake the mailbox after the running transaction commits.

    Never inside it: a refused duplicate would poison the transaction, and a wake-up that runs before the commit
    finds nothing (both tried).
    """
    transaction.on_commit(lambda: defer(connection_id))


def mailboxes_of(email_id: UUID) -> None:
    """Wake every mailbox that an email leaves from."""
    for connection_id in (
        Delivery.objects.filter(email_id=email_id).values_list("connection_id", flat=True).distinct()
    ):
        mailbox(connection_id)


def defer(connection_id: UUID) -> None:
    """Put one drain into the queue, unless one waits there already."""
    from truesend.sending.tasks import drain_mailbox

    name = _lock(connection_id)
    try:
        drain_mailbox.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))
    except AlreadyEnqueued:
        return


def due_mailboxes() -> list[UUID]:
    """Every mailbox with a delivery that is due and no drain waiting for it or at it already.

    A drain goes on until nothing is due, and one that ends between two looks is seen by the next.
    """
    rows = Delivery.objects.filter(due_at__lte=clock.now())
    due = {_lock(one): one for one in rows.values_list("connection_id", flat=True).distinct()}
    drains = ProcrastinateJob.objects.filter(status__in=("todo", "doing"), queueing_lock__in=due)
    taken = set(drains.values_list("queueing_lock", flat=True))
    return [connection_id for name, connection_id in due.items() if name not in taken]


def _lock(connection_id: UUID) -> str:
    return f"mailbox:{connection_id}"
