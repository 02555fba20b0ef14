"""Whether anybody of an organization is here: what nobody looks at needs no proof of every quarter of an hour.

Noted at most every ten minutes per organization and process. Who comes back after a day finds everything asked anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from truesend import clock
from truesend.organizations.models import Organization

ACTIVE_FOR = timedelta(hours=24)
_NOTED_FOR = timedelta(minutes=10)

_noted: dict[UUID, datetime] = {}
_on_return: list[Callable[[UUID], None]] = []


def on_return(call: Callable[[UUID], None]) -> None:
    """Register what is to be done when somebody of an organization comes back."""
    _on_return.append(call)


def note(organization: Organization) -> None:
    """Somebody of it did something just now."""
    now = clock.now()
    before = _noted.get(organization.pk)
    if before is not None and timedelta(0) <= now - before < _NOTED_FOR:
        return
    _noted[organization.pk] = now
    was, organization.active_at = organization.active_at, now
    changed = Organization.objects.filter(pk=organization.pk, active_at=was).update(active_at=now)
    if changed and (was is None or now - was > ACTIVE_FOR):
        for call in _on_return:
            call(organization.pk)


def is_active(organization_id: UUID) -> bool:
    """Whether somebody of it was here within the last day."""
    return Organization.objects.filter(pk=organization_id, active_at__gt=clock.now() - ACTIVE_FOR).exists()
