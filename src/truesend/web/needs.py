"""The emails whose member is asked a question."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from truesend.organizations.access import emails_of
from truesend.organizations.models import Member
from truesend.sending.models import Delivery, DeliveryStatus, Email, EmailStatus

# Asked of a person: whatever can be looked up by itself still has a time for it.
_ASKED = Exists(
    Delivery.objects.filter(email=OuterRef("pk"), status=DeliveryStatus.UNKNOWN, look_at__isnull=True)
)


def open_questions(member: Member) -> QuerySet[Email]:
    """Emails of which the member is asked whether they were sent."""
    unknown = emails_of(member).filter(entry__member_id=member.pk, entry__state=EmailStatus.UNKNOWN)
    return unknown.filter(_ASKED)
