"""The offer to take back what was sent a moment ago, on whatever page its sender goes to next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from truesend import clock
from truesend.sending.models import Email, EmailStatus
from truesend.sending.release import UNTRIED

_KEY = "undo"
# What became of a draft since Send was pressed, where it cannot be taken back any more.
_MEANWHILE = {
    EmailStatus.SCHEDULED: "this email waits for its hour already",
    EmailStatus.QUEUED: "this email is on its way already",
    EmailStatus.SENDING: "this email is on its way already",
    EmailStatus.HELD: "Send was pressed for this email already, and it is held",
    EmailStatus.PAUSED: "Send was pressed for this email already, and it is paused",
    EmailStatus.UNKNOWN: "this email was tried already, and we do not know whether it left",
    EmailStatus.FAILED: "this email was refused meanwhile",
    EmailStatus.CANCELLED: "this email was cancelled meanwhile",
}


def offer(request: HttpRequest, email_id: UUID, seconds: int) -> None:
    """Remember in the session that this email can be taken back for so many seconds."""
    until = clock.now() + timedelta(seconds=seconds)
    request.session[_KEY] = [str(email_id), until.isoformat()]


def offered(request: HttpRequest | None) -> dict[str, Any] | None:
    """Context of partials/undo.html while there is something to take back, else ``None``."""
    session = getattr(request, "session", None)
    kept = session.get(_KEY) if session is not None else None
    # Asks the database only in the seconds after a Send.
    if not kept or datetime.fromisoformat(kept[1]) <= clock.now():
        return None
    return of_email(Email.objects.filter(pk=kept[0]).only("status", "undo_until", "subject").first())


def of_email(email: Email | None) -> dict[str, Any] | None:
    """Context of partials/undo.html for an email that can still be taken back, else ``None``."""
    if email is None or email.status not in UNTRIED:
        return None
    until, now = email.undo_until, clock.now()
    if until is None or until <= now:
        return None
    return {
        "id": str(email.pk),
        "subject": email.subject,
        # Held by a limit, it does not leave when the time to undo is over.
        "held": email.status == EmailStatus.HELD,
        "until": until,
        "seconds": max(1, round((until - now).total_seconds())),
    }


def meanwhile(email: Email) -> str:
    """What became of a draft that another tab has sent, as a clause for who still writes on it.

    It stays on a page for a while, so it names no seconds.
    """
    told = _MEANWHILE.get(EmailStatus(email.status), "this email was sent already")
    if of_email(email) is None:
        return told
    return f"{told}, and for a few seconds Undo on its page brings it back"
