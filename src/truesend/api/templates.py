"""`GET /api/v1/templates`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema

from truesend.api import schemas
from truesend.api.asking import member_of
from truesend.organizations import access
from truesend.paging import CursorError
from truesend.writing import templates
from truesend.writing.models import Template

PAGE = 50
router = Router()


class TemplateOut(Schema):
    """A template or snippet: one's own, or everybody's in the organization (`shared`)."""

    id: str
    name: str
    kind: Literal["template", "snippet"]
    shared: bool
    subject: str
    html: str
    updated_at: datetime


class TemplateList(Schema):
    """Templates and snippets by name."""

    items: list[TemplateOut]
    next: str | None


@router.get(
    "templates",
    response={200: TemplateList, 401: schemas.ProblemOut, 404: schemas.ProblemOut, 422: schemas.ProblemOut},
)
def listing(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str, Query(description="`next` of the page before", max_length=200)] = "",
) -> dict[str, Any]:
    """Templates and snippets: the member's own and the organization's shared ones, by name; `q`: words in them."""
    member = member_of(request)
    if cursor and not re.fullmatch(r"[0-9]{1,6}", cursor):
        raise CursorError(cursor)
    start = int(cursor or 0)
    found = templates.find(access.templates_of(member), q.strip().replace("\x00", ""))
    rows = list(found[start : start + PAGE + 1])
    following = str(start + PAGE) if len(rows) > PAGE else None
    return {"items": [_shown(one) for one in rows[:PAGE]], "next": following}


def _shown(row: Template) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "kind": row.kind,
        "shared": row.shared,
        "subject": row.subject,
        "html": row.html,
        "updated_at": row.updated_at,
    }
