"""Small HTTP rules that hold for every page."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse

from truesend import clock, env, vouching
from truesend.billing import account as billing
from truesend.billing import stripe_api
from truesend.organizations import activity, installation, sessions
from truesend.organizations.access import member_of
from truesend.organizations.models import SeenFrom, User
from truesend.providers.registry import PROVIDERS
from truesend.tracking.addresses import client_address
from truesend.web.gate import page_of
from truesend.web.views import errors

Handler = Callable[[HttpRequest], HttpResponse]


def consent_origins() -> str:
    """The origins of the providers' consent pages, as a source list of the policy."""
    pages = (page for one in PROVIDERS.values() for page in (one.consent_page(), *one.leads_on_to))
    origins = {f"{urlsplit(page).scheme}://{urlsplit(page).netloc}" for page in pages}
    if billing.is_on():
        origins |= set(stripe_api.pages_origins().split())
    return " ".join(sorted(origins))


class Health:
    """`/healthz` (the process answers) and `/readyz` (and reaches its database, and may act), before anything else.

    `/healthz?vouch=` shows whose process it is (:mod:`truesend.vouching`). `/readyz?part` leaves out what only the
    operator decides: such a part is at work all the same.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            vouched = vouching.vouch(settings.SECRET_KEY.encode(), request.GET.get("vouch", ""))
            return JsonResponse({"ok": True, "vouch": vouched} if vouched else {"ok": True})
        if request.path == "/readyz":
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 FROM organizations_organization LIMIT 1")
                standing = installation.standing()
            except DatabaseError:
                return JsonResponse({"ok": False, "cause": "database"}, status=503)
            if not standing.adopted and "part" not in request.GET:
                body = {"ok": False, "cause": installation.NOT_ADOPTED, "sentence": standing.sentence}
                return JsonResponse(body, status=503)
            return JsonResponse({"ok": True})
        return self.get_response(request)


class OneHost:
    """Pages live under one address: cookies and redirect URIs hang on it, so another Host is sent there."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.host = urlsplit(settings.PUBLIC_URL).netloc.lower()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.META.get("HTTP_HOST", "").lower()
        if asked == self.host or request.path.startswith(("/api/", "/webhooks/")):
            return self.get_response(request)
        if request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(settings.PUBLIC_URL + request.get_full_path())
        return HttpResponse(
            f"Use {settings.PUBLIC_URL}.", status=421, content_type="text/plain; charset=utf-8"
        )


class ContentSecurityPolicy:
    """No inline script or style anywhere; a page that shows foreign HTML sets its own policy."""

    # "Connect Google" is a form whose answer leads to the provider: browsers hold form-action against that too.
    POLICY = (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        f"form-action 'self' {consent_origins()}; frame-ancestors 'none'; frame-src 'self'"
    )

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response


class FewMayWait:
    """Requests that wait for a provider never take all threads: one that hangs must not take the pages with it."""

    _WAITS = re.compile(
        r"/oauth/[^/]+/callback|(/api/v1)?/connections/[^/]+/(verify|disconnect)|/users/[^/]+/remove|/account/delete|/reauthenticate(/code|/passkey)?"
        r"|/settings/providers/[^/]+(/check)?|/diagnostics(/findings)?|/settings/organization/tracking-host|/account/billing/(checkout|portal)|/webhooks/stripe"
    )
    # Threads kept for everything else: one of them may wait for its turn, the others never do.
    _KEPT = 4
    _PATIENCE_SECONDS = 1.0

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.places = threading.BoundedSemaphore(max(1, env.number("WEB_THREADS") - self._KEPT))
        self.next = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Coming back from Stripe's page asks it; the page alone does not.
        comes_back = request.path == "/account/billing" and "checkout" in request.GET
        if not comes_back and not self._WAITS.fullmatch(request.path):
            return self.get_response(request)
        if not self._take():
            return errors.busy(request)
        try:
            return self.get_response(request)
        finally:
            self.places.release()

    def _take(self) -> bool:
        if self.places.acquire(blocking=False):
            return True
        if not self.next.acquire(blocking=False):
            return False
        try:
            return self.places.acquire(timeout=self._PATIENCE_SECONDS)
        finally:
            self.next.release()


class NoBlankRefusal:
    """A 405 of a page says where to go instead: somebody reached a button's address by its link or by Back."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.path.startswith("/api/") or response.content:
            return response
        page = errors.not_allowed(request, page_of(request.path))
        page["Allow"] = response.headers.get("Allow", "")
        return page


class NoteWhereFrom:
    """Remember, once per session and change, the address and browser a member works from."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if request.method == "GET" and user is not None and user.is_authenticated:
            self._note(request)
            if (member := member_of(user)) is not None:
                activity.note(member)
        return response

    @staticmethod
    def _note(request: HttpRequest) -> None:
        # As the tracker takes it, so that a look at a mail can be told to be the sender's.
        address = client_address(
            request.META.get("REMOTE_ADDR", ""),
            request.headers.get("X-Forwarded-For", ""),
            trust_forwarded=env.environment() == "dev",
            proxies=env.trusted_proxies(),
        )
        here = [address, request.headers.get("User-Agent", "")[:400]]
        if isinstance(request.user, User) and request.session.session_key:
            sessions.note(request.user, request.session.session_key, *here)
        if not here[0] or request.session.get("seen_from") == here:
            return
        member = member_of(request.user)
        if member is not None:
            SeenFrom.objects.update_or_create(
                member=member, ip=here[0], user_agent=here[1], defaults={"seen_at": clock.now()}
            )
        request.session["seen_from"] = here
