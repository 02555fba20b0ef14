"""The suppression list by the API: everybody reads it, owners and managers change it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from truesend import refusals
from truesend.api import problems, schemas
from truesend.api.values import Line
from truesend.organizations import audit
from truesend.organizations.access import check_suppresses
from truesend.organizations.models import Member
from truesend.sending.addresses import AddressError, parse
from truesend.suppression import listing
from truesend.suppression.models import Suppression

PAGE = 100
_PAGE_URL = "/settings/suppression"
_ERRORS = {401: schemas.ProblemOut, 422: schemas.ProblemOut}

router = Router()
Cursor = Annotated[str, Query(description="`next` of the page before; empty for the first", max_length=200)]
Reason = Literal["hard_bounce", "by_hand", "asked", "imported"]


class SuppressionIn(Schema):
    """An address that is not to be written to."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[Line, Field(min_length=1, max_length=1000)]
    reason: Reason = "by_hand"
    # Where it comes from, for whoever reads the list.
    source: Annotated[Line, Field(max_length=listing.LONGEST_SOURCE)] = ""


class SuppressionOut(Schema):
    """One reason why one address is not written to. `address` is null where the person was forgotten."""

    address: str | None
    reason: str
    # Whether single mails are stopped too, or mail to many alone.
    blocks: bool
    source: str
    at: datetime
    by: str


class SuppressionList(Schema):
    """The list, newest first."""

    items: list[SuppressionOut]
    next: str | None


class AllowedOut(Schema):
    """How many reasons ended."""

    ended: int


def _member(request: HttpRequest) -> Member:
    member = request.auth  # type: ignore[attr-defined]
    assert isinstance(member, Member)
    return member


def _shown(one: Suppression) -> dict[str, Any]:
    return {
        "address": one.address or None,
        "reason": one.reason,
        "blocks": one.blocks,
        "source": one.source,
        "at": one.at,
        "by": one.by,
    }


@router.get("suppressions", response={200: SuppressionList, 404: schemas.ProblemOut, **_ERRORS})
def suppressions(request: HttpRequest, q: str = "", reason: Reason | None = None, cursor: Cursor = "") -> Any:
    """The organization's list; `q` begins an address or its domain."""
    rows, following = listing.page(
        _member(request).organization_id, words=q, reason=reason or "", cursor=cursor, size=PAGE
    )
    return {"items": [_shown(one) for one in rows], "next": following}


@router.post(
    "suppressions",
    response={
        200: SuppressionList,
        201: SuppressionList,
        403: schemas.ProblemOut,
        409: schemas.ProblemOut,
        **_ERRORS,
    },
)
def suppress(request: HttpRequest, given: SuppressionIn) -> Status[Any]:
    """Put an address on the list; 200 where it is there already for that reason. Answers all its reasons."""
    member = _member(request)
    check_suppresses(member)
    try:
        address = parse(given.address).address
    except AddressError as error:
        raise problems.Problem(refusals.NO_ADDRESS, str(error)) from None
    with transaction.atomic():
        new = listing.suppress(
            member.organization_id, address, reason=given.reason, source=given.source, by=member.user.email
        )
        if new:
            audit.record(
                member.organization_id, member, "suppression.added", words=f"{given.reason}, by the API"
            )
    found = listing.reasons_of(member.organization_id, address)
    return Status(201 if new else 200, {"items": [_shown(one) for one in found], "next": None})


@router.delete(
    "suppressions/{address}",
    response={
        200: AllowedOut,
        403: schemas.ProblemOut,
        404: schemas.ProblemOut,
        409: schemas.ProblemOut,
        **_ERRORS,
    },
)
def allow(request: HttpRequest, address: str, confirm: bool = False) -> Any:
    """Let an address in again; of somebody who asked not to get mail, 409 without `confirm=true`."""
    member = _member(request)
    if not listing.reasons_of(member.organization_id, address):
        raise problems.not_found("Open the suppression list", _PAGE_URL)
    check_suppresses(member)
    try:
        with transaction.atomic():
            ended = listing.allow(member.organization_id, address, by=member.user.email, confirmed=confirm)
            if ended:
                audit.record(member.organization_id, member, "suppression.allowed", words="by the API")
    except listing.ConfirmationNeeded as needed:
        sentence = f"{needed.asked.address or 'This person'} unsubscribed. {refusals.ASKED_BY_THEM.sentence}"
        raise problems.Problem(refusals.ASKED_BY_THEM, sentence) from None
    return {"ended": ended}
