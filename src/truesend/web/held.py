"""Held emails of one mailbox that can go now, together: how many, and what it was that held them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet

from truesend.connections.describe import Description, describe, with_facts
from truesend.connections.models import Connection
from truesend.organizations import installation
from truesend.organizations.access import emails_of
from truesend.organizations.finding import MOST_NEEDS
from truesend.organizations.models import Member
from truesend.sending import readiness
from truesend.sending.models import Delivery, Email
from truesend.sending.reconcile import RESTORED
from truesend.sending.release import waits_for_somebody

# Of fewer the button stands on the email's own page.
_SEVERAL = 2


def held_of(member: Member, connection_id: UUID, cause: str) -> QuerySet[Email]:
    """The member's emails of a mailbox that ``cause`` holds until somebody lets them go, oldest first."""
    copies = Delivery.objects.filter(connection_id=connection_id, **waits_for_somebody(cause))
    return (
        emails_of(member).filter(is_test=False, deliveries__in=copies).distinct().order_by("created_at", "pk")
    )


def releasable(connection_id: UUID) -> Description | None:
    """The mailbox, where what was held in it can leave now."""
    described = describe(with_facts(Connection.objects.filter(pk=connection_id)).get())
    return described if _can_go(described) else None


def _can_go(mailbox: Description) -> bool:
    return installation.standing().adopted and readiness.can_send(mailbox)


def groups(
    held: Sequence[tuple[UUID, str, int]], mailboxes: Mapping[UUID, Description]
) -> list[dict[str, Any]]:
    """A note for each mailbox and cause of which several wait and can go: {title, sentence, fix}.

    ``held`` are (mailbox, cause, how many emails), see :func:`truesend.organizations.finding.numbers`.
    """
    found = sorted((one for one in held if one[2] >= _SEVERAL), key=lambda one: -one[2])
    return [
        _note(mailboxes[connection_id], cause, count)
        for connection_id, cause, count in found
        if connection_id in mailboxes and _can_go(mailboxes[connection_id])
    ]


def _note(mailbox: Description, cause: str, count: int) -> dict[str, Any]:
    url = f"/emails/held/{mailbox.connection.pk}?{urlencode({'cause': cause})}"
    several, every = (
        (f"{count} emails", f" {count}") if count < MOST_NEEDS else (f"{count} emails or more", "")
    )
    return {
        "title": f"{several} from {mailbox.connection.address} are held.",
        "sentence": why_they_can_go(cause),
        "fix": {"label": f"Send all{every}", "url": url, "method": "get"},
    }


def why_they_can_go(cause: str) -> str:
    """What held several emails, once it holds them no more."""
    if cause == RESTORED:
        return "They were due before a backup was restored, and none of them is in Sent."
    return "What stood in their way is gone; they wait until somebody lets them go."
