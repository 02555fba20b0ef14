"""Turning it on and off: of which connection, and what becomes of what waits."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from truesend import clock, live_events
from truesend.billing import account
from truesend.billing.tiers import Feature
from truesend.connections import proofs
from truesend.connections.models import Connection, LedgerKind
from truesend.crm.models import Recorder, Recording, Status
from truesend.crm.states import OPEN
from truesend.organizations import audit
from truesend.organizations.models import Member
from truesend.providers import registry

ON, OFF = "recording_on", "recording_off"


def offers(connection: Connection) -> bool:
    """Whether its contacts can be told at all."""
    return registry.provider(connection.provider).records_mail


def includes(organization_id: UUID) -> bool:
    """Whether the organization's plan includes it."""
    tier = account.standing(organization_id).tier
    return tier is not None and tier.has(Feature.RECORDS)


def place_of(connection: Connection) -> str:
    """Which account it is, wherever else it may be connected."""
    place = registry.provider(connection.provider).place_of(connection.subject)
    return f"{connection.provider}:{place or connection.subject}"


def turn_on(connection: Connection, *, trigger: str, by: Member | None = None) -> bool:
    """Record what is accepted from now on; True where this call turned it on."""
    if not offers(connection) or connection.disconnected_at is not None:
        return False
    with transaction.atomic():
        _, made = Recorder.objects.get_or_create(
            connection=connection,
            defaults={
                "organization": connection.organization,
                "place": place_of(connection),
                "since": clock.now(),
            },
        )
        if made:
            proofs.note(connection, LedgerKind.RECORD, trigger=trigger, result=ON)
            _note(connection, by, ON)
            live_events.publish(connection.organization_id, "verdict", [connection.pk])
    return made


def turn_off(connection: Connection, *, trigger: str, by: Member | None = None) -> bool:
    """Ask nothing more; what waits stays unrecorded. True where this call turned it off."""
    with transaction.atomic():
        ended, _ = Recorder.objects.filter(pk=connection.pk).delete()
        if not ended:
            return False
        open_ones = Recording.objects.filter(connection=connection, status__in=OPEN)
        emails = set(open_ones.values_list("delivery__email_id", flat=True))
        open_ones.update(status=Status.STOPPED, due_at=None, settled_at=clock.now())
        proofs.note(connection, LedgerKind.RECORD, trigger=trigger, result=OFF)
        _note(connection, by, OFF)
        live_events.publish(connection.organization_id, "verdict", [connection.pk])
        live_events.publish(connection.organization_id, "email", emails)
    return True


def _note(connection: Connection, by: Member | None, done: str) -> None:
    about, ref = connection.address, str(connection.pk)
    audit.record(connection.organization_id, by, f"connection.{done}", about=about, ref=ref)
