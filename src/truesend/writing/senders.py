"""The other addresses a mailbox may send from, as its provider says: read, kept, and asked for again before a send.

A provider may take a mail from an address that is none of these and write the mailbox's own in its place, without a
word. So an address that is not among them is not sent from.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from truesend import clock
from truesend.connections import tokens
from truesend.connections.models import Connection
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.writing.models import Sender, SendersRead

# A page asks again after so long, a send after so long: copies that leave every second share one question, and no more.
FRESH, FRESH_TO_SEND = timedelta(minutes=15), timedelta(seconds=10)


def may_have(connection: Connection) -> bool:
    """Whether its provider lists other addresses, and lets us read the list."""
    adapter = registry.provider(connection.provider)
    return (
        connection.disconnected_at is None
        and adapter.names_senders
        and Capability.READ in adapter.granted(connection.granted_scopes)
    )


def read_at(connection_id: UUID) -> datetime | None:
    """When they were last read."""
    return SendersRead.objects.filter(pk=connection_id).values_list("read_at", flat=True).first()


def is_stale(connection: Connection, after: timedelta = FRESH) -> bool:
    """Whether the provider is to be asked again."""
    at = read_at(connection.pk) if may_have(connection) else clock.now()
    return at is None or at < clock.now() - after


def of_all(connections: Iterable[UUID]) -> dict[UUID, list[Sender]]:
    """What is known of many connections, by address."""
    found: dict[UUID, list[Sender]] = {}
    for one in Sender.objects.filter(connection__in=list(connections)).order_by("address"):
        found.setdefault(one.connection_id, []).append(one)
    return found


def find(connection_id: UUID, address: str) -> Sender | None:
    """One of a connection's, whatever its case."""
    return Sender.objects.filter(connection_id=connection_id, address__iexact=address).first()


def look(connection: Connection, *, after: timedelta = FRESH, access: str = "") -> None:
    """Ask the provider, where it was not asked for so long. Raises :class:`ProviderError`; then nothing has changed."""
    if not is_stale(connection, after):
        return
    key = access or tokens.access_token(connection, trigger="senders")
    listed = registry.provider(connection.provider).senders(key)
    own = connection.address.lower()
    wanted = {one.address.lower()[:320]: one.name[:200] for one in listed if one.address.lower() != own}
    with transaction.atomic():
        Sender.objects.filter(connection=connection).exclude(address__in=wanted).delete()
        Sender.objects.bulk_create(
            [Sender(connection=connection, address=address, name=name) for address, name in wanted.items()],
            update_conflicts=True,
            unique_fields=["connection", "address"],
            update_fields=["name"],
        )
        SendersRead.objects.update_or_create(connection=connection, defaults={"read_at": clock.now()})
