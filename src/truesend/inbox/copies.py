"""The deliveries that mails may belong to, from the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min, Q, QuerySet

from truesend.connections.models import Connection
from truesend.inbox.matching import Copy, Home, Person
from truesend.sending.models import Delivery, Recipient
from truesend.tracking.models import Forgotten

# A mailbox that may be read for the first time is read so far back, if something was sent then.
FIRST_DAYS = timedelta(days=14)
# What came while the provider had lost our place, and a little before it.
_MARGIN, _LONGEST_BACK = timedelta(hours=1), timedelta(days=30)


def home_of(connection: Connection) -> Home:
    """Its own address, and those of all mailboxes of its organization."""
    inside = Connection.objects.filter(organization=connection.organization_id, disconnected_at=None)
    addresses = {one.lower() for one in inside.values_list("address", flat=True)}
    own = frozenset({connection.address.lower()})
    return Home(own, frozenset(addresses) | own)


def since(connection: Connection, read_at: datetime | None, now: datetime) -> datetime:
    """From when a mailbox is read whose place is not known."""
    if read_at is not None:
        return max(read_at - _MARGIN, now - _LONGEST_BACK)
    sent = _of(connection).filter(sent_at__gte=now - FIRST_DAYS)
    first: datetime | None = sent.aggregate(first=Min("sent_at"))["first"]
    return first - _MARGIN if first is not None else now


def _of(connection: Connection) -> QuerySet[Delivery]:
    """What was sent from this address: mail comes back to it, whichever connection sent it."""
    same = Connection.objects.filter(
        organization=connection.organization_id, address__iexact=connection.address
    )
    return Delivery.objects.filter(connection__in=same.values("pk"))


def find(
    connection: Connection, ids: Collection[str], threads: Collection[str], marks: Collection[str] = ()
) -> list[Delivery]:
    """Deliveries with one of these Message-IDs (without brackets) or marks, or in one of these threads of this mailbox.

    Those of whom nothing is to be learned any more are left out.
    """
    wanted = Q()
    if ids:
        wanted |= Q(message_id__in=[f"<{one}>" for one in ids] + list(ids))
    if threads:
        wanted |= Q(provider_thread_id__in=list(threads), connection=connection)
    if known := _uuids(marks):
        wanted |= Q(pk__in=known)
    if not wanted:
        return []
    rows = list(_of(connection).filter(wanted).select_related("email", "connection").defer("links"))
    forgotten = set(Forgotten.objects.filter(pk__in=[one.pk for one in rows]).values_list("pk", flat=True))
    return [one for one in rows if one.pk not in forgotten]


def _uuids(marks: Iterable[str]) -> list[UUID]:
    found = []
    for mark in marks:
        try:
            found.append(UUID(mark))
        except ValueError:
            continue
    return found


def copies(rows: Collection[Delivery]) -> list[Copy]:
    """As matching wants them."""
    people: dict[UUID, list[Person]] = defaultdict(list)
    for one in Recipient.objects.filter(delivery__in=rows).order_by("delivery", "position"):
        people[one.delivery_id].append(Person(one.address, one.name))
    return [
        Copy(
            id=row.pk,
            address=row.connection.address.lower(),
            message_id=row.message_id.strip().strip("<>"),
            thread_id=row.provider_thread_id,
            sent_at=row.sent_at or row.email.created_at,
            subject=row.email.subject,
            recipients=tuple(people[row.pk]),
        )
        for row in rows
    ]
