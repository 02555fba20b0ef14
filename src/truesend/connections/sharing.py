"""Sharing a mailbox of one's own with the organization, and taking it back: the same row, so its history stays."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from truesend import clock, live_events
from truesend.connections import proofs
from truesend.connections.models import Connection, Kind, LedgerKind


class Twice(Exception):
    """The account is there already, in the place it was to go to."""


def share(connection: Connection, *, trigger: str) -> bool:
    """Let everybody in the organization send from it; False where it is shared already, or disconnected.

    Raises :class:`Twice`.
    """
    own = Connection.objects.filter(pk=connection.pk, kind=Kind.PERSONAL, disconnected_at=None)
    return _move(own, connection, Kind.ORGANIZATION, trigger)


def take_back(connection: Connection, *, trigger: str) -> bool:
    """Make it its member's own again; False where it is, or never was. Raises :class:`Twice`.

    One that was connected for everybody belongs to nobody: it cannot be taken.
    """
    shared = Connection.objects.filter(pk=connection.pk, kind=Kind.ORGANIZATION, disconnected_at=None)
    return _move(shared.exclude(shared_at=None), connection, Kind.PERSONAL, trigger)


def _move(rows: QuerySet[Connection], connection: Connection, kind: Kind, trigger: str) -> bool:
    shared = kind == Kind.ORGANIZATION
    try:
        with transaction.atomic():
            if rows.update(kind=kind, shared_at=clock.now() if shared else None) != 1:
                return False
            result = "shared" if shared else "taken_back"
            proofs.note(connection, LedgerKind.SHARING, trigger=trigger, result=result)
            live_events.publish(connection.organization_id, "verdict", [connection.pk])
    except IntegrityError:
        raise Twice from None
    return True
