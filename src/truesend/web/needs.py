"""The emails that wait for their member: a question to answer, something to let go, something to correct."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from truesend.organizations.access import emails_of
from truesend.organizations.models import Member
from truesend.sending.models import Delivery, DeliveryStatus, Email, EmailStatus

_COPY = Delivery.objects.filter(email=OuterRef("pk"))
# Asked of a person: whatever can be looked up by itself still has a time for it.
_ASKED = Q(status=EmailStatus.UNKNOWN) & Exists(
    _COPY.filter(status=DeliveryStatus.UNKNOWN, look_at__isnull=True)
)
# Waits for a person: what goes by itself has a due time.
_WAITS = Q(status__in=(EmailStatus.HELD, EmailStatus.UNKNOWN, EmailStatus.SENDING)) & Exists(
    _COPY.filter(status=DeliveryStatus.QUEUED, due_at__isnull=True).exclude(held_cause="")
)
# What its member stopped needs nobody, nor what was written again and sent.
_CORRECTED = Exists(Email.objects.filter(corrects=OuterRef("pk")).exclude(status=EmailStatus.DRAFT))
_REFUSED = (
    Q(status=EmailStatus.FAILED)
    | Q(status=EmailStatus.PARTLY) & Exists(_COPY.filter(status=DeliveryStatus.REFUSED))
) & ~_CORRECTED
# It is there, as was told late, and another one is about to leave.
_TWICE = Exists(_COPY.filter(status=DeliveryStatus.QUEUED, attempts__arrived_at__isnull=False))


def needs_somebody(found: QuerySet[Email]) -> QuerySet[Email]:
    """Those of ``found`` that do not go on without their member."""
    return found.filter(_ASKED | _WAITS | _REFUSED | _TWICE)


def open_questions(member: Member) -> QuerySet[Email]:
    """Emails of which the member is asked whether they were sent."""
    return emails_of(member).filter(_ASKED)
