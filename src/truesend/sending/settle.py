"""Keeping an email's status in step with its deliveries."""

from __future__ import annotations

from uuid import UUID

from truesend import clock, live_events
from truesend.sending.models import Delivery, Email, EmailStatus
from truesend.sending.status import status_of


def refresh_email(email_id: UUID, *, problem: str | None = None) -> None:
    """Derive the status again, behind a lock of the email's row; call it in the transaction of the change."""
    email = (
        Email.objects.select_for_update()
        .only("id", "organization_id", "status", "problem", "send_at")
        .get(pk=email_id)
    )
    if email.status == EmailStatus.DRAFT:
        return
    now = clock.now()
    pairs = [
        (status, due_at is None)
        for status, due_at in Delivery.objects.filter(email_id=email_id).values_list("status", "due_at")
    ]
    status = status_of(pairs, later=email.send_at is not None and email.send_at > now)
    fields: dict[str, object] = {"status": status, "updated_at": now}
    if problem is not None:
        fields["problem"] = problem
    Email.objects.filter(pk=email_id).update(**fields)
    live_events.publish(email.organization_id, "email", [email_id])
