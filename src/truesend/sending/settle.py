"""Keeping an email's status in step with its deliveries."""

from __future__ import annotations

from uuid import UUID

from truesend import clock, live_events
from truesend.sending.models import Delivery, Email, EmailStatus
from truesend.sending.states import PAUSED
from truesend.sending.status import status_of

# After these it is not waiting for its hour any more, whatever the hour.
_TRIED = frozenset({EmailStatus.SENDING, EmailStatus.UNKNOWN})
# Here the problem of another copy outlives the good news of one.
_WRONG = frozenset({EmailStatus.UNKNOWN, EmailStatus.PARTLY, EmailStatus.FAILED})


def refresh_email(email_id: UUID, *, problem: str | None = None) -> None:
    """Derive the status again, behind a lock of the email's row; call it in the transaction of the change.

    ``problem`` is what has just happened to one copy (empty: nothing is wrong with it); the email keeps what is
    still wrong with another.
    """
    email = (
        Email.objects.select_for_update()
        .only("id", "organization_id", "status", "problem", "send_at")
        .get(pk=email_id)
    )
    if email.status == EmailStatus.DRAFT:
        return
    now = clock.now()
    rows = list(Delivery.objects.filter(email_id=email_id).values_list("status", "held_cause").distinct())
    pairs = [(status, bool(cause) and cause != PAUSED) for status, cause in rows]
    later = email.send_at is not None and email.send_at > now and email.status not in _TRIED
    status = status_of(pairs, later=later, paused=any(cause == PAUSED for _, cause in rows))
    fields: dict[str, object] = {"status": status, "updated_at": now}
    if status == EmailStatus.HELD:
        fields["problem"] = next(cause for _, cause in rows if cause and cause != PAUSED)
    elif status == EmailStatus.PAUSED:
        fields["problem"] = ""
    elif (
        status in {EmailStatus.SENT, EmailStatus.CANCELLED}
        or problem
        or (problem == "" and status not in _WRONG)
    ):
        fields["problem"] = problem or ""
    Email.objects.filter(pk=email_id).update(**fields)
    live_events.publish(email.organization_id, "email", [email_id])
