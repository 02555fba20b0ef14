"""Who must set up a second factor is led there, and to nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from truesend.organizations import second_factor
from truesend.organizations.access import member_of

Handler = Callable[[HttpRequest], HttpResponse]

PAGE = "/account/second-factor"
# What one needs on the way there: the pages themselves, proving who one is, an address that is verified, the way out.
# The API asks by itself, of tokens; webhooks and what lies behind a signed link know no session.
_OPEN = re.compile(
    r"/account/(second-factor|sessions)(/.*)?|/reauthenticate(/.*)?|/log(in|out)(/.*)?|/email|/confirm-email(/.*)?"
    r"|/password/.*|/sign-in/.*|/static/.*|/api/.*|/webhooks/.*"
)


class SecondFactorFirst:
    """Every page of a member asks here, whatever its view does."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _OPEN.fullmatch(request.path) or not request.user.is_authenticated:
            return self.get_response(request)
        member = member_of(request.user)
        if member is None or not second_factor.is_missing(member):
            return self.get_response(request)
        if request.method in {"GET", "HEAD"} and "application/json" not in request.headers.get("Accept", ""):
            return HttpResponseRedirect(PAGE)
        context = {
            "title": "A second factor first",
            "sentence": f"Owners and managers of {member.organization.name} need one. Nothing was done.",
            "fix": {"label": "Set it up", "url": PAGE},
        }
        return render(request, "problem.html", context, status=403)
