"""`GET /api/v1/members`: who is in the team."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema

from truesend.api import schemas
from truesend.api.asking import member_of
from truesend.organizations import members
from truesend.organizations.models import Member

router = Router()


class MemberOut(Schema):
    """A member; ``status`` says whether they may do something now."""

    id: str
    name: str
    email: str
    role: Literal["owner", "manager", "user"]
    status: Literal["active", "deactivated"]
    seen_at: datetime | None


class MemberList(Schema):
    """All members, owners first; ``next`` is always null: a team fits on a page."""

    items: list[MemberOut]
    next: str | None


@router.get("members", response={200: MemberList, 401: schemas.ProblemOut})
def listing(request: HttpRequest) -> dict[str, Any]:
    """The members of the organization who were not removed; `seen_at`: when last here, to about ten minutes."""
    found = members.of(member_of(request).organization_id)
    return {"items": [_shown(one) for one in found], "next": None}


def _shown(one: Member) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "name": one.user.get_full_name(),
        "email": one.user.email,
        "role": one.role,
        "status": "active" if one.is_active else "deactivated",
        "seen_at": one.seen_at,
    }
