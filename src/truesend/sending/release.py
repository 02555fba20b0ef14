"""Letting held mail go, stopping what has not left, and taking back what was sent a moment ago."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from truesend import clock, live_events
from truesend.sending import wake
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus
from truesend.sending.settle import refresh_email

# Where an email may stand that was not tried yet.
UNTRIED = (EmailStatus.QUEUED, EmailStatus.SCHEDULED, EmailStatus.HELD)


def release(email: Email) -> int:
    """Make the held deliveries of an email due, now or at the hour it was written for; how many there were."""
    with transaction.atomic():
        held = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED).exclude(held_cause="")
        count = _let_go(email, held)
        if count:
            wake.mailboxes_of(email.pk)
    return count


def release_all(emails: Iterable[Email], connection_id: UUID, cause: str) -> int:
    """Let go what one cause holds in one mailbox for a person; of how many of ``emails`` there was something."""
    count = 0
    for email in emails:
        with transaction.atomic():
            held = Delivery.objects.filter(
                email=email, connection_id=connection_id, **waits_for_somebody(cause)
            )
            count += bool(_let_go(email, held))
    if count:
        wake.mailbox(connection_id)
    return count


def waits_for_somebody(cause: str) -> dict[str, object]:
    """The filter of deliveries that ``cause`` holds until a person lets them go; others have an hour."""
    return {"status": DeliveryStatus.QUEUED, "held_cause": cause, "due_at": None}


def _let_go(email: Email, held: QuerySet[Delivery]) -> int:
    # An hour that was chosen stands.
    now = clock.now()
    count = held.update(due_at=max(now, email.send_at or now), held_cause="")
    if count:
        refresh_email(email.pk, problem="")
    return count


def cancel(email: Email) -> int:
    """Cancel the deliveries that wait; how many there were. What is being sent or was sent stays as it is."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED)
        count = waiting.update(status=DeliveryStatus.CANCELLED, due_at=None, held_cause="")
        if count:
            refresh_email(email.pk, problem="")
    return count


class TooLateToUndo(Exception):
    """The time to think again is over; what can still be done stands in its words."""

    def __init__(self, statuses: Collection[str]) -> None:
        super().__init__(f"It is too late to undo: {_why_too_late(statuses)}")
        self.can_cancel = DeliveryStatus.QUEUED in statuses


def _why_too_late(statuses: Collection[str]) -> str:
    if not statuses:
        return "it is a draft again."
    if set(statuses) == {DeliveryStatus.QUEUED}:
        return "the time for it is over. It has not left yet: Cancel stops it."
    if set(statuses) == {DeliveryStatus.CANCELLED}:
        return "it was cancelled, and nothing has left."
    if DeliveryStatus.QUEUED in statuses:
        return "some of it has left or is leaving. Cancel stops the rest."
    if set(statuses) <= {DeliveryStatus.UNKNOWN, DeliveryStatus.CANCELLED}:
        return "it was tried, and we do not know whether it left."
    return "it has left, or is leaving now."


def undo(email: Email) -> None:
    """Make an email a draft again while its time to undo runs and nothing of it was tried.

    Raises :class:`TooLateToUndo`, and then nothing has changed.
    """
    with transaction.atomic():
        statuses = [one.status for one in Delivery.objects.select_for_update().filter(email=email)]
        untouched = all(one == DeliveryStatus.QUEUED for one in statuses)
        if not untouched or Attempt.objects.filter(delivery__email=email).exists():
            raise TooLateToUndo(statuses)
        now = clock.now()
        taken = Email.objects.filter(pk=email.pk, status__in=UNTRIED, undo_until__gt=now).update(
            status=EmailStatus.DRAFT, undo_until=None, send_at=None, problem="", updated_at=now
        )
        if taken != 1:
            raise TooLateToUndo(statuses)
        Delivery.objects.filter(email=email).delete()
    live_events.publish(email.organization_id, "email", [email.pk])
