"""Permissions withdrawn at their providers for an organization that goes: kept until the answer is there."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from truesend import clock
from truesend.closing.models import Revocation
from truesend.connections import disconnect as ending
from truesend.connections.models import Connection
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.errors import ProviderError

log = logging.getLogger("truesend.closing")

GIVEN_UP_AFTER = timedelta(days=3)
"""A provider that takes none for so long: the key is forgotten here all the same, and ends unused."""

_LONGEST = timedelta(hours=6)
_FIRST = timedelta(minutes=1)
TRIGGER = "organization deleted"


def end_all(organization_id: UUID) -> None:
    """End every connection here, each with its permission noted to be withdrawn; goes on where it was cut short."""
    rows = Connection.objects.filter(organization=organization_id, disconnected_at=None).order_by("pk")
    for connection in rows:
        with transaction.atomic():
            ended = ending.end(connection, trigger=TRIGGER)
            if ended is None or ended.secret is None:
                continue
            row = uuid4()
            Revocation.objects.create(
                id=row,
                organization_id=organization_id,
                provider=connection.provider,
                subject=connection.subject,
                secret=seal(ended.secret, place=f"revocation.secret:{row}"),
            )


def work(organization_id: UUID) -> bool:
    """Withdraw what is due; whether all of the organization are withdrawn, or given up."""
    due = Revocation.objects.filter(organization=organization_id, due_at__lte=clock.now())
    for row in due.order_by("due_at"):
        if not installation.may_act():
            return False
        _withdraw(row)
    return not Revocation.objects.filter(organization=organization_id).exists()


def next_at(organization_id: UUID) -> datetime | None:
    """When the next one is to be tried; ``None`` where none is."""
    rows = Revocation.objects.filter(organization=organization_id).order_by("due_at")
    return rows.values_list("due_at", flat=True).first()


def _withdraw(row: Revocation) -> None:
    later = {"tries": row.tries + 1, "due_at": clock.now() + min(_FIRST * 2**row.tries, _LONGEST)}
    if Revocation.objects.filter(pk=row.pk, tries=row.tries).update(**later) != 1:
        return  # somebody else is at it
    if _is_lived_on(row):
        row.delete()
        return
    try:
        secret = open_sealed(row.secret, place=f"revocation.secret:{row.pk}")
        registry.provider(row.provider).revoke(secret)
    except SecretUnreadable:
        log.warning("A permission at %s cannot be withdrawn: its key is unreadable.", row.provider)
    except ProviderError as error:
        if clock.now() - row.began_at < GIVEN_UP_AFTER:
            return
        log.warning("%s took no withdrawal for three days (%s); it is given up.", row.provider, error.cause)
    row.delete()


def _is_lived_on(row: Revocation) -> bool:
    """Whether somebody else here holds the same account: their grants die together."""
    return Connection.objects.filter(
        provider=row.provider, subject=row.subject, disconnected_at=None
    ).exists()
