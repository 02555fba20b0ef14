"""Pausing and resuming the copies of an email that wait."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from truesend import refusals
from truesend.api import present, schemas
from truesend.api.asking import ERRORS, email_of, member_of, refused
from truesend.sending import halting
from truesend.sending.models import EmailStatus

router = Router()


@router.post("emails/{email_id}/pause", response={200: schemas.EmailOut, 409: schemas.ProblemOut, **ERRORS})
def pause_email(request: HttpRequest, email_id: str) -> dict[str, Any]:
    """Keep back what waits for its hour, until `resume`; 409 when nothing does. What has left has left."""
    found = email_of(request, email_id)
    if halting.pause(found) == 0 and found.status != EmailStatus.PAUSED:
        raise refused(refusals.TOO_LATE, found)
    return present.emails([email_of(request, email_id)])[0]


@router.post("emails/{email_id}/resume", response={200: schemas.EmailOut, 409: schemas.NotReadyOut, **ERRORS})
def resume_email(request: HttpRequest, email_id: str) -> dict[str, Any]:
    """Let what is paused go on, spaced from now on; 409 when nothing is, and with the gates where one is shut."""
    found = email_of(request, email_id)
    if halting.resume(found, member_of(request)) == 0:
        raise refused(refusals.NOT_PAUSED, found)
    return present.emails([email_of(request, email_id)])[0]
