"""What every route asks first: who calls, and for which email."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from truesend.api import problems, schemas
from truesend.organizations import access
from truesend.organizations.models import Member
from truesend.refusals import Refusal
from truesend.sending.models import Email

ERRORS = {401: schemas.ProblemOut, 404: schemas.ProblemOut, 422: schemas.ProblemOut}


def member_of(request: HttpRequest) -> Member:
    """Whoever the token stands for."""
    member = request.auth  # type: ignore[attr-defined]
    assert isinstance(member, Member)
    return member


def id_of(text: str) -> UUID | None:
    """The id in an address; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def email_of(request: HttpRequest, email_id: str) -> Email:
    """An email of the caller's; 404 for any other."""
    wanted = id_of(email_id)
    found = access.access_email(member_of(request), wanted) if wanted else None
    if found is None:
        raise problems.not_found("Open My Emails", "/emails")
    return found


def refused(refusal: Refusal, email: Email, sentence: str = "", label: str = "") -> problems.Problem:
    """What helps stands on the email's page."""
    fix = {"label": label or refusal.label, "url": f"/emails/{email.pk}"}
    return problems.Problem(refusal, sentence, fix=fix)
