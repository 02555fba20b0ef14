"""Asking for an archive, having it, and doing without it again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.db import IntegrityError, transaction

from truesend import clock, live_events
from truesend.exports import folder, wake
from truesend.exports.models import OPEN, Export, Scope, Status
from truesend.organizations import access, audit, roles
from truesend.organizations.models import Member
from truesend.organizations.roles import Action

_SHOWN = 10


def ask(member: Member, scope: str) -> Export:
    """An archive that is being made from now on; the one that is being made already, where there is one.

    Raises :class:`~truesend.organizations.access.Refused`, and ``ValueError`` for a scope that is none.
    """
    if scope not in Scope.values:
        raise ValueError("There is no such export.")
    access.check(member, Action.EXPORT_ALL if scope == Scope.ORGANIZATION else Action.EXPORT_OWN)
    try:
        with transaction.atomic():
            made = Export.objects.create(organization=member.organization, member=member, scope=scope)
            if scope == Scope.ORGANIZATION:
                # Whoever takes everything away is seen to; what is one's own is nobody else's business.
                audit.record(member.organization_id, member, "organization.exported", ref=str(made.pk))
            wake.soon(made.pk)
    except IntegrityError:
        found = Export.objects.filter(member=member, scope=scope, status__in=OPEN).first()
        # It may have become ready between the two.
        return found if found is not None else ask(member, scope)
    return made


def of(member: Member) -> list[Export]:
    """The newest archives that somebody asked for; those they may not have any more left out."""
    rows = Export.objects.filter(member=member).exclude(status=Status.GONE).order_by("-asked_at")
    return [one for one in rows[:_SHOWN] if may_have(member, one.scope)]


def access_export(member: Member, export_id: UUID) -> Export | None:
    """An archive that this member asked for and may still have, or ``None``."""
    found = Export.objects.filter(pk=export_id, member=member, organization=member.organization_id).first()
    return found if found is not None and may_have(member, found.scope) else None


def may_have(member: Member, scope: str) -> bool:
    """Whether a member may do with an archive what they might when they asked: a role may have changed since."""
    action = Action.EXPORT_ALL if scope == Scope.ORGANIZATION else Action.EXPORT_OWN
    return member.is_active and roles.allows(member.role, action)


def file_of(export: Export) -> Path | None:
    """Its file; ``None`` where there is none, or not on this machine."""
    if export.status != Status.READY:
        return None
    path = folder.path_of(export.pk)
    return path if path.is_file() else None


def opened(export: Export) -> BinaryIO | None:
    """Its file, to be read by whoever closes it; ``None`` the same."""
    path = file_of(export)
    try:
        return path.open("rb") if path is not None else None
    except OSError:
        return None


def newest(member: Member, scope: Scope) -> Export | None:
    """The last one that became ready, whose date is shown before something is deleted."""
    rows = Export.objects.filter(organization=member.organization_id, scope=scope, ready_at__isnull=False)
    if scope == Scope.MEMBER:
        rows = rows.filter(member=member)
    return rows.order_by("-ready_at").first()


def drop(export: Export) -> bool:
    """Do without it: nothing of it is left but that it was asked for. False where it was gone already."""
    gone = Export.objects.filter(pk=export.pk).exclude(status__in=[Status.GONE, Status.FAILED])
    done = gone.update(status=Status.GONE, look_at=None) == 1
    folder.remove(export.pk)
    tell(export)
    return done


def end(exports: Sequence[UUID]) -> None:
    """Their rows go, in the caller's transaction; files follow."""
    Export.objects.filter(pk__in=exports).delete()
    for one in exports:
        transaction.on_commit(partial(folder.remove, one))


def tell(export: Export) -> None:
    """The open page of whoever asked shows it. By its own id: that of a member loads all of their pages anew."""
    live_events.publish(export.organization_id, "account", [export.pk])


def overdue(export: Export) -> bool:
    """Whether the days are over in which it can be had."""
    return export.expires_at is not None and export.expires_at <= clock.now()
