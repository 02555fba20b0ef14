"""The log of administrative acts: for owners and managers, to read and to take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from truesend import clock, spreadsheets, zones
from truesend.billing import account
from truesend.organizations import audit
from truesend.organizations.access import check_audits
from truesend.organizations.audit_models import AuditEntry
from truesend.organizations.models import Member
from truesend.paging import CursorError
from truesend.web.gate import member_page

PAGE = 50
URL = "/settings/audit"
COLUMNS = ("at", "who", "address", "action", "what", "about", "words", "id")
_WORDS = 100
_BY_NOBODY = "Truesend"
_BILLING = "billing"
# Those of which something can stand there.
_KNOWN = {
    key: label
    for key, label in audit.AREAS.items()
    if any(one.startswith(f"{key}.") for one in audit.ACTIONS)
}


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def log(request: HttpRequest, member: Member) -> HttpResponse:
    """`/settings/audit?q=&area=&cursor=`: newest first."""
    check_audits(member)
    asked = _asked(request.GET.get("q", ""), request.GET.get("area", ""))
    try:
        found, following = audit.page(
            member.organization_id, **asked, cursor=request.GET.get("cursor", ""), size=PAGE
        )
    except CursorError:
        return HttpResponseRedirect(_address(asked))
    context: dict[str, Any] = {
        "nav": "account",
        "rows": [_row(one) for one in found],
        "query": asked["words"],
        "area": asked["area"],
        "filters": [
            {"label": label, "url": _address({**asked, "area": key}), "chosen": key == asked["area"]}
            for key, label in {"": "All", **_areas(member.organization_id, asked["area"])}.items()
        ],
        "next": _address(asked, following) if following else None,
        "behind": "cursor" in request.GET,
    }
    return render(request, "audit.html", context)


@require_POST
@cache_control(private=True, no_store=True)
@member_page
def export(request: HttpRequest, member: Member) -> HttpResponse:
    """What the page's filter finds as a CSV, written while it is read; taking it away is an act of its own."""
    check_audits(member)
    asked = _asked(request.POST.get("q", ""), request.POST.get("area", ""))
    audit.record(member.organization_id, member, "organization.audit_exported", words=_filter(asked))
    answer = StreamingHttpResponse(_lines(member, asked), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audit-{clock.now():%Y-%m-%d}.csv"'
    return answer  # type: ignore[return-value]  # a response all the same


def _areas(organization_id: UUID, chosen: str) -> dict[str, str]:
    """What can be chosen: billing where somebody is billed, or was."""
    if account.is_on() or chosen == _BILLING or audit.entries(organization_id, area=_BILLING).exists():
        return _KNOWN
    return {key: label for key, label in _KNOWN.items() if key != _BILLING}


def _lines(member: Member, asked: dict[str, str]) -> Iterator[str]:
    yield spreadsheets.line(COLUMNS)
    clocks = zones.zone(member.organization.zone)
    for one in audit.every(member.organization_id, **asked):
        row = _row(one)
        yield spreadsheets.line(
            (
                one.at.astimezone(clocks).isoformat(timespec="seconds"),
                row["who"],
                one.actor_email,
                one.action,
                row["what"],
                one.about,
                one.words,
                one.ref,
            )
        )


def _row(one: AuditEntry) -> dict[str, Any]:
    return {
        "at": one.at,
        "who": one.actor_name or one.actor_email or _BY_NOBODY,
        "address": one.actor_email if one.actor_name else "",
        # A code whose row is gone is still what was recorded.
        "what": audit.ACTIONS.get(one.action, one.action),
        "about": one.about,
        "words": one.words,
    }


def _asked(words: str, area: str) -> dict[str, str]:
    return {
        "words": " ".join(words.replace("\x00", "").split())[:_WORDS],
        "area": area if area in audit.AREAS else "",
    }


def _filter(asked: dict[str, str]) -> str:
    told = [audit.AREAS.get(asked["area"], ""), f"“{asked['words']}”" if asked["words"] else ""]
    return ", ".join(filter(None, told))


def _address(asked: dict[str, str], cursor: str = "") -> str:
    fields = {"q": asked["words"], "area": asked["area"], "cursor": cursor}
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"{URL}?{query}" if query else URL
