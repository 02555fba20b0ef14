"""What `truesend doctor` says, as a page for the operator of this installation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from truesend import env
from truesend.connections.causes import Who
from truesend.connections.describe import people_who
from truesend.diagnostics.doctor import examine, summary
from truesend.diagnostics.findings import Finding, Status
from truesend.organizations.models import Member
from truesend.runtime.folder import Lock
from truesend.web.gate import member_page, names

# Each is asked on a connection to the database of its own, beside those of the pages.
_AT_ONCE = 3
_STATES = {Status.OK: "ok", Status.UNPROVEN: "none", Status.WARNING: "warn", Status.WRONG: "bad"}
_GROUPS = (
    (Status.WRONG, "Wrong"),
    (Status.WARNING, "Warnings"),
    (Status.UNPROVEN, "Not proved"),
    (Status.OK, "Right"),
)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def diagnostics(request: HttpRequest, member: Member) -> HttpResponse:
    """The page; `?now` looks before it answers, else the page asks for it."""
    if not member.user.is_operator:
        return _refused(request, member)
    found = _found() if "now" in request.GET else None
    return render(request, "diagnostics.html", {"nav": "account", **(_told(found) if found else {})})


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def findings(request: HttpRequest, member: Member) -> HttpResponse:
    """The findings alone."""
    if not member.user.is_operator:
        return _refused(request, member)
    return render(request, "partials/findings.html", _told(_found()))


def _found() -> list[Finding]:
    data = env.data_dir()
    return examine(data, running=Lock(data).held_by_other(), at_once=_AT_ONCE)


def _told(found: list[Finding]) -> dict[str, Any]:
    groups = [
        {
            "title": title,
            "state": _STATES[status],
            "findings": [one for one in found if one.status is status],
            "is_open": status is not Status.OK,
        }
        for status, title in _GROUPS
    ]
    return {"summary": summary(found), "groups": [one for one in groups if one["findings"]]}


def _refused(request: HttpRequest, member: Member) -> HttpResponse:
    context = {
        "title": "Not yours to look at",
        "sentence": "Only the operator of this installation sees what is wrong with it.",
        "who": names(people_who(Who.OPERATOR, member)),
        "fix": {"label": "Back", "url": "/account"},
    }
    return render(request, "problem.html", context, status=403)
