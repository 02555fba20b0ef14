"""An email's status from its deliveries. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from truesend.sending.models import DeliveryStatus, EmailStatus

_COMMON = {
    DeliveryStatus.QUEUED: EmailStatus.QUEUED,
    DeliveryStatus.ACCEPTED: EmailStatus.SENT,
    DeliveryStatus.REFUSED: EmailStatus.FAILED,
    DeliveryStatus.CANCELLED: EmailStatus.CANCELLED,
}


def status_of(
    deliveries: Iterable[tuple[str, bool]], *, later: bool = False, paused: bool = False
) -> EmailStatus:
    """The status for (delivery status, held) pairs; held is queued with something that keeps it.

    ``paused``: copies wait because a person paused them; they are not among the held ones.

    ``later`` says that the whole email waits for its hour.
    """
    pairs = list(deliveries)
    statuses = {status for status, _ in pairs}
    if DeliveryStatus.SENDING in statuses:
        return EmailStatus.SENDING
    if DeliveryStatus.UNKNOWN in statuses:
        return EmailStatus.UNKNOWN
    if any(status == DeliveryStatus.QUEUED and held for status, held in pairs):
        return EmailStatus.HELD
    if paused:
        return EmailStatus.PAUSED
    if statuses == {DeliveryStatus.QUEUED}:
        return EmailStatus.SCHEDULED if later else EmailStatus.QUEUED
    if len(statuses) == 1:
        return _COMMON[DeliveryStatus(statuses.pop())]
    if DeliveryStatus.QUEUED in statuses:
        return EmailStatus.SENDING
    if statuses == {DeliveryStatus.REFUSED, DeliveryStatus.CANCELLED}:
        return EmailStatus.FAILED
    return EmailStatus.PARTLY
