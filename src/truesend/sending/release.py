"""Letting held mail go, and stopping what has not left."""

from __future__ import annotations

from django.db import transaction

from truesend import clock
from truesend.sending import wake
from truesend.sending.models import Delivery, DeliveryStatus, Email
from truesend.sending.settle import refresh_email


def release(email: Email) -> int:
    """Make the held deliveries of an email due now; how many there were."""
    with transaction.atomic():
        held = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED, due_at=None)
        count = held.update(due_at=clock.now())
        if count:
            refresh_email(email.pk, problem="")
            wake.mailboxes_of(email.pk)
    return count


def cancel(email: Email) -> int:
    """Cancel the deliveries that wait; how many there were. What is being sent or was sent stays as it is."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED)
        count = waiting.update(status=DeliveryStatus.CANCELLED, due_at=None)
        if count:
            refresh_email(email.pk, problem="")
    return count
