"""One's own sessions: where one is signed in, and ending it there, or everywhere."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from truesend.organizations import session_limits, sessions
from truesend.organizations.models import Member
from truesend.tracking import agents
from truesend.tracking.rules import CURRENT
from truesend.web.gate import member_page

PAGE = "/account/sessions"


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def listing(request: HttpRequest, member: Member) -> HttpResponse:
    """`/account/sessions`: browser, address, last seen."""
    found = sessions.listed(member.user, request.session.session_key or "")
    rows = [{"session": one, "browser": _browser(one.user_agent)} for one in found]
    shown = {
        "rows": rows,
        "count": len(rows),
        "idle": session_limits.said(session_limits.idle()),
        "longest": session_limits.said(session_limits.longest()),
    }
    return render(request, "sessions.html", {"nav": "account", **shown})


def _browser(user_agent: str) -> str:
    return (
        agents.parse(user_agent, CURRENT.version).device
        if user_agent
        else "A program that names itself nothing"
    )


@require_POST
@member_page
def end(request: HttpRequest, member: Member, row_number: int) -> HttpResponse:
    """“Sign out there”; twice is fine, somebody else's is a 404."""
    this = request.session.session_key or ""
    if any(one.row == row_number and one.is_this for one in sessions.listed(member.user, this)):
        logout(request)
        return HttpResponseRedirect("/login")
    if not sessions.end(member, member.user, row_number):
        raise Http404
    messages.success(request, "Signed out there. Its open pages stop at once.")
    return HttpResponseRedirect(PAGE)


@require_POST
@member_page
def end_all(request: HttpRequest, member: Member) -> HttpResponse:
    """“Sign out everywhere”, here too."""
    sessions.end_all(member.user)
    logout(request)
    messages.success(request, "You are signed out everywhere.")
    return HttpResponseRedirect("/login")
