"""Which mailboxes are read, and when: one row to a connection that may read."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from procrastinate.exceptions import AlreadyEnqueued

from truesend import clock, env
from truesend.connections.models import Check, Connection, Proof
from truesend.inbox import schedule
from truesend.inbox.models import Mailbox
from truesend.organizations import activity
from truesend.providers import registry
from truesend.providers.contract import Capability

# So many that are due stand to choice, so that threads seldom reach for the same.
LOOKED_AT = 32
_NEW_AT_ONCE = 200
# A look that is overdue for so long is told.
_LATE = timedelta(minutes=5)
# Which mailboxes there are to be read is asked so often by a process, in seconds.
_KEPT_UP_EVERY = 3.0
_kept_up_at = float("-inf")


def base() -> timedelta:
    """The time between two looks where mail was sent lately."""
    return timedelta(seconds=env.number("INBOX_SECONDS"))


def is_read(connection: Connection) -> bool:
    """Whether Truesend may, and can, read what comes into this mailbox."""
    adapter = registry.provider(connection.provider)
    return (
        connection.disconnected_at is None
        and adapter.tells_of_mail
        and Capability.READ in connection.asked
        and Capability.READ in adapter.granted(connection.granted_scopes)
    )


def _readable() -> QuerySet[Mailbox]:
    return Mailbox.objects.filter(connection__disconnected_at=None, connection__token__dead_at=None)


def due(most: int) -> list[UUID]:
    """Connections whose mailbox is to be read now, the longest due first."""
    rows = _readable().filter(due_at__lte=clock.now()).order_by("due_at")
    return list(rows.values_list("pk", flat=True)[:most])


def keep_up() -> None:
    """Begin with mailboxes that may be read since; those that sent a moment ago are not left for half an hour.

    Asked by the waker each second, it looks every three.
    """
    global _kept_up_at
    if time.monotonic() - _kept_up_at < _KEPT_UP_EVERY:
        return
    from truesend.inbox import push

    _kept_up_at, now = time.monotonic(), clock.now()
    providers = [one.key for one in registry.PROVIDERS.values() if one.tells_of_mail]
    fresh = Connection.objects.filter(
        Q(mailbox=None) | Q(mailbox__due_at=None),
        provider__in=providers,
        asked__contains=[Capability.READ.value],
        disconnected_at=None,
        token__dead_at=None,
    )
    for connection in fresh.order_by("created_at")[:_NEW_AT_ONCE]:
        if is_read(connection):
            Mailbox.objects.bulk_create([Mailbox(connection=connection)], ignore_conflicts=True)
            Mailbox.objects.filter(pk=connection.pk, due_at=None).update(due_at=now)
    waiting = Mailbox.objects.filter(due_at__gt=now, misses=0)
    waiting.filter(connection__consented_at__gt=F("read_at")).update(due_at=now)
    # Sent since it was read last: it is read again as soon after that as any mailbox that sends.
    sent = Proof.objects.filter(
        connection=OuterRef("pk"), check_name=Check.SEND, ok=True, at__gt=OuterRef("read_at")
    )
    soon = Subquery(sent.values("at")[:1]) + base()
    waiting.filter(Exists(sent), due_at__gt=now + base()).update(due_at=soon)
    push.keep_up()


def read_soon(organization_id: UUID) -> None:
    """Somebody is here again: what was to be read in half an hour is read now."""
    later = Mailbox.objects.filter(connection__organization=organization_id, due_at__gt=clock.now() + base())
    later.update(due_at=clock.now())


def hurry(connection_id: UUID, *, event: bool = False) -> bool:
    """Read it now; whether there is such a mailbox. ``event``: the provider says that something is new."""
    now = clock.now()
    told = {"event_at": now} if event else {}
    found = _readable().filter(pk=connection_id, due_at__isnull=False).values("pk")
    changed = Mailbox.objects.filter(pk__in=found).update(due_at=now, **told)
    if changed:
        transaction.on_commit(lambda: wake(connection_id))
    return changed == 1


def wake(connection_id: UUID) -> None:
    """Put one look into the queue, unless one waits there already."""
    from truesend.inbox.tasks import read_mailbox

    name = f"inbox:{connection_id}"
    with suppress(AlreadyEnqueued):
        read_mailbox.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))


def rows_of(connections: Iterable[UUID]) -> dict[UUID, Mailbox]:
    """How far each of them is read; one query."""
    return {one.pk: one for one in Mailbox.objects.filter(pk__in=list(connections))}


def late_since(mailbox: Mailbox, now: datetime) -> datetime | None:
    """When it was due, where nobody has looked for long after that; None where it is in time."""
    due = mailbox.due_at
    return due if due is not None and now - due > _LATE else None


def wake_all(most: int) -> None:
    """Let so many threads, of all workers together, read what is due, where anything is."""
    from truesend.inbox.tasks import read_due

    for place in range(len(due(most))):
        name = f"inbox:{place}"
        with suppress(AlreadyEnqueued):
            read_due.configure(lock=name, queueing_lock=name).defer()


def usual(connection: Connection, now: datetime) -> timedelta:
    """The time until its next look."""
    adapter = registry.provider(connection.provider)
    sent = Proof.objects.filter(connection=connection, check_name=Check.SEND, ok=True).first()
    limit = adapter.limits.client_calls_per_day
    others = Mailbox.objects.filter(connection__provider=connection.provider).count() if limit else 1
    return schedule.between(
        base(),
        sent_ago=now - sent.at if sent is not None else None,
        active=activity.is_active(connection.organization_id),
        mailboxes=others,
        calls=adapter.inbox_calls,
        calls_per_day=limit,
    )


def after_look(connection: Connection, now: datetime) -> datetime:
    """When to read again after a good answer."""
    return schedule.after_look(now, usual(connection, now), jitter=random.random())  # noqa: S311


def missed(mailbox: Mailbox, connection: Connection, now: datetime, retry_at: datetime | None) -> None:
    """The look had no good answer."""
    at = schedule.after_miss(
        now,
        mailbox.misses,
        usual(connection, now),
        jitter=random.random(),  # noqa: S311
        retry_at=retry_at,
    )
    Mailbox.objects.filter(pk=mailbox.pk).update(due_at=at, misses=F("misses") + 1)
