"""Doing without what was asked for and not given: the connection is then judged by what it may do."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Func, Value

from truesend import live_events
from truesend.connections import proofs
from truesend.connections.models import Connection, LedgerKind
from truesend.organizations import audit
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability

# What the ledger says of it.
DROPPED = "reading_dropped"


def lacks_reading(connection: Connection) -> bool:
    """Whether reading was asked for and is not among the scopes that were given."""
    adapter = registry.provider(connection.provider)
    return (
        connection.disconnected_at is None
        and not adapter.consents_to_all
        and Capability.READ in connection.asked
        and Capability.READ not in adapter.granted(connection.granted_scopes)
    )


def forgo_reading(connection: Connection, *, by: Member) -> bool:
    """Ask for reading no more; False where it was given meanwhile, was not asked for, or the connection has ended."""
    if not lacks_reading(connection):
        return False
    same = Connection.objects.filter(
        pk=connection.pk,
        disconnected_at=None,
        asked__contains=[str(Capability.READ)],
        granted_scopes=connection.granted_scopes,
    )
    with transaction.atomic():
        # Taken out of what stands there now: another capability may have been added meanwhile.
        left = Func(F("asked"), Value(str(Capability.READ)), function="array_remove")
        if same.update(asked=left) != 1:
            return False
        proofs.note(connection, LedgerKind.CONSENT, trigger=by.user.email, result=DROPPED)
        about, ref = connection.address, str(connection.pk)
        audit.record(connection.organization_id, by, "connection.reading_dropped", about=about, ref=ref)
        live_events.publish(connection.organization_id, "verdict", [connection.pk])
    return True
