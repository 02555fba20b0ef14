"""`/emails`: My Emails, the list."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from truesend.organizations import finding
from truesend.organizations.models import Member
from truesend.paging import CursorError
from truesend.web.facts import facts_of
from truesend.web.gate import member_page
from truesend.web.held import groups
from truesend.web.rows import rows as rows_of
from truesend.web.rows import summary

PAGE = 50
FILTERS = {
    "": "All",
    "opened": "Opened",
    "clicked": "Clicked",
    "doubtful": "Cannot know",
    "failed": "Not sent",
    "drafts": "Drafts",
    "needs": "Needs you",
}
_MANY = 99


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def listing(request: HttpRequest, member: Member) -> HttpResponse:
    """`/emails`."""
    return render(request, "emails/list.html", _listing(request, member))


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def rows(request: HttpRequest, member: Member) -> HttpResponse:
    """The list's rows alone, for the live page."""
    return render(request, "partials/email_rows.html", {**_listing(request, member), "refreshed": True})


def _listing(request: HttpRequest, member: Member) -> dict[str, Any]:
    query = request.GET.get("q", "").strip()[: finding.WORDS].replace("\x00", "")
    chosen = request.GET.get("filter", "")
    chosen = chosen if chosen in FILTERS else ""
    cursor = request.GET.get("cursor", "")
    facts = facts_of(request, member)
    mailboxes = {key: one.connection for key, one in facts.mailboxes.items()}
    try:
        emails, following = finding.page(
            member, chosen, words=query, cursor=cursor, size=PAGE, mailboxes=mailboxes
        )
    except CursorError:
        emails, following = finding.page(member, chosen, words=query, size=PAGE, mailboxes=mailboxes)
    asked = {"q": query, "filter": chosen, "cursor": cursor}
    listed = facts.numbers(of_the_list=True).listed
    assert listed is not None
    return {
        "nav": "emails",
        "summary": summary(listed.lately),
        "emails": rows_of(emails, facts.mailboxes),
        "held": groups(listed.held, facts.mailboxes) if chosen != "drafts" and not query else [],
        "query": query,
        "filter": chosen,
        "filters": [
            {"key": key, "label": label, "count": _several(listed.needs) if key == "needs" else ""}
            for key, label in FILTERS.items()
        ],
        "next": following,
        "connected": bool(facts.connected),
        "live_url": "/emails/rows?" + urlencode({key: value for key, value in asked.items() if value}),
    }


def _several(number: int) -> str:
    return f"{_MANY}+" if number > _MANY else str(number or "")
