"""Each use of a page moves the end of its session; what a page asks by itself is no use of it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from truesend.organizations import session_limits, sessions
from truesend.organizations.access import member_of

# The id of the member who is signed in: a page tells by it that it belongs to somebody else (frontend/src/csrf.ts).
WHO = "truesend_member"


def is_by_a_person(request: HttpRequest) -> bool:
    """Whether somebody opened a page or changed something; an open page refreshes parts of itself by GET."""
    if request.method not in {"GET", "HEAD"}:
        return True
    if "HX-Request" in request.headers or "application/json" in request.headers.get("Accept", ""):
        return False
    # Browsers tell it on https and on this machine.
    return request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


class OnlyOurKeys:
    """A cookie that cannot be the key of a session is none, before anything looks for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not sessions.is_key(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        return self.get_response(request)


class SessionLimits:
    """Where a session was asked for that somebody is signed in by."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.session.accessed and SESSION_KEY in request.session:
            session_limits.used(request.session, by_a_person=is_by_a_person(request))
            self._name(request, response)
            # What one member sees is nobody else's, not even by the button Back once they have signed out.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    @staticmethod
    def _name(request: HttpRequest, response: HttpResponse) -> None:
        """Say to our own scripts who is signed in, so that a page of somebody else's sends nothing in their name."""
        member = member_of(request.user)
        if member is None or request.COOKIES.get(WHO) == str(member.pk):
            return
        age = request.session.get_expiry_age()
        response.set_cookie(
            WHO, str(member.pk), max_age=age, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax"
        )
