"""Striking a signal on an email's page, and taking that back."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST

from truesend.organizations.access import access_email, access_signal
from truesend.organizations.models import Member
from truesend.tracking import striking
from truesend.web import timeline as told
from truesend.web.facts import facts_of
from truesend.web.gate import member_page


@require_POST
@member_page
def strike(request: HttpRequest, member: Member, signal_id: int) -> HttpResponse:
    """“Strike”: it was nobody, or the member; it counts no more."""
    return _strike(request, member, signal_id, struck=True)


@require_POST
@member_page
def unstrike(request: HttpRequest, member: Member, signal_id: int) -> HttpResponse:
    """“Unstrike”: it counts again."""
    return _strike(request, member, signal_id, struck=False)


def _strike(request: HttpRequest, member: Member, signal_id: int, *, struck: bool) -> HttpResponse:
    """The timeline alone for a page that stays, else the whole page."""
    found = access_signal(member, signal_id)
    email = access_email(member, found.email) if found else None
    if found is None or email is None:
        raise Http404
    striking.strike(found, struck=struck)
    if request.headers.get("HX-Request") == "true":
        context = {
            **told.page(facts_of(request, member), email, told.part_of(request.GET)),
            "refreshed": True,
        }
        return render(request, "partials/timeline.html", context)
    return HttpResponseRedirect(f"/emails/{email.pk}#signal-{found.pk}")
