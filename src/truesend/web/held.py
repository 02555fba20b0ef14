"""Held emails of one mailbox that can go now, together: how many, and what it was that held them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, QuerySet

from truesend.connections.describe import Description, describe, with_facts
from truesend.connections.models import Connection
from truesend.organizations import installation
from truesend.organizations.access import emails_of
from truesend.organizations.models import Member
from truesend.sending import readiness
from truesend.sending.models import Delivery, DeliveryStatus, Email
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
    if not installation.standing().adopted:
        return None
    described = describe(with_facts(Connection.objects.filter(pk=connection_id)).get())
    return described if readiness.can_send(described) else None


def groups(member: Member) -> list[dict[str, Any]]:
    """A note for each mailbox and cause of which several wait and can go: {title, sentence, fix}."""
    waiting = Delivery.objects.filter(
        email__in=emails_of(member).filter(is_test=False), status=DeliveryStatus.QUEUED, due_at=None
    ).exclude(held_cause="")
    counted = waiting.values_list("connection_id", "held_cause").annotate(count=Count("email", distinct=True))
    found = sorted((one for one in counted if one[2] >= _SEVERAL), key=lambda one: -one[2])
    mailboxes = {one[0]: releasable(one[0]) for one in found}
    return [
        _note(mailbox, cause, count)
        for connection_id, cause, count in found
        if (mailbox := mailboxes[connection_id]) is not None
    ]


def _note(mailbox: Description, cause: str, count: int) -> dict[str, Any]:
    url = f"/emails/held/{mailbox.connection.pk}?{urlencode({'cause': cause})}"
    return {
        "title": f"{count} emails from {mailbox.connection.address} are held.",
        "sentence": why_they_can_go(cause),
        "fix": {"label": f"Send all {count}", "url": url, "method": "get"},
    }


def why_they_can_go(cause: str) -> str:
    """What held several emails, once it holds them no more."""
    if cause == RESTORED:
        return "They were due before a backup was restored, and none of them is in Sent."
    return "What stood in their way is gone; they wait until somebody lets them go."
