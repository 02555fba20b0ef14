"""Whether anybody of an organization is here: what nobody looks at needs no proof of every quarter of an hour.

Noted at most every ten minutes per organization, per member and process. Who comes back after a day finds everything
asked anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from truesend import clock
from truesend.organizations.models import Member, Organization

ACTIVE_FOR = timedelta(hours=24)
_NOTED_FOR = timedelta(minutes=10)

_noted: dict[UUID, datetime] = {}
_members: dict[UUID, datetime] = {}
_on_return: list[Callable[[UUID], None]] = []


def on_return(call: Callable[[UUID], None]) -> None:
    """Register what is to be done when somebody of an organization comes back."""
    _on_return.append(call)


def note(member: Member) -> None:
    """They did something just now."""
    now = clock.now()
    if _is_news(_members, member.pk, now):
        Member.objects.filter(pk=member.pk).update(seen_at=now)
    if _is_news(_noted, member.organization.pk, now):
        _came(member.organization, now)


def _is_news(noted: dict[UUID, datetime], key: UUID, now: datetime) -> bool:
    before = noted.get(key)
    if before is not None and timedelta(0) <= now - before < _NOTED_FOR:
        return False
    noted[key] = now
    return True


def _came(organization: Organization, now: datetime) -> None:
    was, organization.active_at = organization.active_at, now
    changed = Organization.objects.filter(pk=organization.pk, active_at=was).update(active_at=now)
    if changed and (was is None or now - was > ACTIVE_FOR):
        for call in _on_return:
            call(organization.pk)


def is_active(organization_id: UUID) -> bool:
    """Whether somebody of it was here within the last day."""
    return Organization.objects.filter(pk=organization_id, active_at__gt=clock.now() - ACTIVE_FOR).exists()
