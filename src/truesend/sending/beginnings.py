"""How a draft comes to be: once for each id, whoever asks first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from truesend import clock
from truesend.organizations.models import Member
from truesend.sending.models import Email, EmailStatus


def begin(member: Member, email_id: UUID, **fields: Any) -> tuple[Email, bool]:
    """The email with this id and whether it was made just now, as a draft of the member's with ``fields``.

    One that was there already may be anybody's and may have been sent: the caller looks. Of two who ask at once one
    makes it, and the other waits until it is there.
    """
    now = clock.now()
    return Email.objects.get_or_create(
        pk=email_id,
        defaults={
            "organization": member.organization,
            "member": member,
            "status": EmailStatus.DRAFT,
            "track": member.organization.track_by_default,
            "created_at": now,
            "updated_at": now,
            **fields,
        },
    )
