"""What can be done with an email that waits: stop it, let it go, take it back, give it another hour."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from truesend import refusals
from truesend.api import present, schemas
from truesend.api.asking import ERRORS, email_of, member_of, refused
from truesend.sending import release
from truesend.sending.models import EmailStatus
from truesend.sending.schedule import Unschedulable

router = Router()


@router.post("emails/{email_id}/cancel", response={200: schemas.EmailOut, 409: schemas.ProblemOut, **ERRORS})
def cancel(request: HttpRequest, email_id: str) -> dict[str, Any]:
    """Stop what has not left; 409 when nothing waits any more."""
    found = email_of(request, email_id)
    if release.cancel(found) == 0 and found.status != EmailStatus.CANCELLED:
        raise refused(refusals.TOO_LATE, found)
    return present.emails([email_of(request, email_id)])[0]


@router.post(
    "emails/{email_id}/release", response={200: schemas.EmailOut, 409: schemas.NotReadyOut, **ERRORS}
)
def release_email(request: HttpRequest, email_id: str) -> dict[str, Any]:
    """Let what is held go out now; 409 when nothing is held, and with the gates where one is shut."""
    found = email_of(request, email_id)
    if release.release(found, member_of(request)) == 0:
        raise refused(refusals.NOT_HELD, found)
    return present.emails([email_of(request, email_id)])[0]


@router.post("emails/{email_id}/undo", response={200: schemas.EmailOut, 409: schemas.ProblemOut, **ERRORS})
def undo_email(request: HttpRequest, email_id: str) -> dict[str, Any]:
    """Make it a draft again while `undo_until` is to come; 409 when it is too late."""
    found = email_of(request, email_id)
    try:
        if found.status != EmailStatus.DRAFT:  # pressed twice
            release.undo(found)
    except release.TooLateToUndo as late:
        raise refused(refusals.TOO_LATE, found, str(late), "Cancel" if late.can_cancel else "") from None
    return present.emails([email_of(request, email_id)])[0]


@router.post(
    "emails/{email_id}/reschedule", response={200: schemas.EmailOut, 409: schemas.NotReadyOut, **ERRORS}
)
def reschedule_email(request: HttpRequest, email_id: str, hour: schemas.HourIn) -> dict[str, Any]:
    """Another hour for what waits, whatever kept it; 409 when nothing waits any more, or that hour has passed.

    409 too, with the gates, while the account lets nothing be scheduled.
    """
    found = email_of(request, email_id)
    try:
        release.reschedule(found, hour.send_at, member_of(request))
    except release.TooLateToChange as late:
        raise refused(refusals.TOO_LATE, found, str(late)) from None
    except Unschedulable as problem:
        raise refused(refusals.HOUR_PASSED, found, str(problem)) from None
    return present.emails([email_of(request, email_id)])[0]


@router.post("emails/{email_id}/edit", response={200: schemas.EmailOut, 409: schemas.ProblemOut, **ERRORS})
def edit_email(request: HttpRequest, email_id: str) -> dict[str, Any]:
    """Make what waits for its hour, or for a person, a draft again; 409 when something of it was tried."""
    found = email_of(request, email_id)
    try:
        if found.status != EmailStatus.DRAFT:
            release.take_back(found)
    except release.TooLateToChange as late:
        raise refused(refusals.TOO_LATE, found, str(late)) from None
    return present.emails([email_of(request, email_id)])[0]
