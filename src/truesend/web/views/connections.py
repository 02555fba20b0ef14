"""Integrations: the cards and what can be done with each."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from truesend.connections import probe
from truesend.connections.describe import Description, described_all
from truesend.connections.models import Connection
from truesend.organizations import installation
from truesend.organizations.access import access_connection, check_manages, connections_of
from truesend.organizations.models import Member
from truesend.sending.selftest import send_test_email
from truesend.sending.submit import NotReady
from truesend.web import cards as drawn
from truesend.web import integrations, notices
from truesend.web import ledger as happened
from truesend.web.facts import facts_of
from truesend.web.gate import member_page
from truesend.web.paths import HOME, with_query
from truesend.web.views import keys


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def integration(request: HttpRequest, member: Member) -> HttpResponse:
    """`/integration`; `?q=` and `?show=` choose among many."""
    context = {**_context(request, member), "notice": notices.notice(member, request.GET, request.session)}
    context["connect"] = integrations.connect(member, facts_of(request, member).connected)
    context["keys"] = keys.offers(member)
    return render(request, "integration.html", context)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def cards(request: HttpRequest, member: Member) -> HttpResponse:
    """The cards alone, for the live page."""
    answer = render(request, "partials/cards.html", {**_context(request, member), "refreshed": True})
    if request.headers.get("HX-Trigger") == "search":
        # Its own address: what is done next comes back to it.
        answer["HX-Replace-Url"] = f"{HOME}{integrations.Wanted.of(request.GET).query()}"
    return answer


@require_GET
@member_page
def health_line(request: HttpRequest, member: Member) -> HttpResponse:
    """The health line alone, for the live page."""
    return render(request, "partials/health.html", {"refreshed": True})


def _context(request: HttpRequest, member: Member) -> dict[str, Any]:
    connected = facts_of(request, member).connected
    return {
        "nav": "integrations",
        "summary": integrations.summary(connected),
        **integrations.page(member, connected, integrations.Wanted.of(request.GET)),
    }


# How one connection is shown -> its template. A change of verdict puts it in another place on the page.
_SHAPES = {"card": "partials/card.html", "line": "partials/line.html", "body": "partials/card_body.html"}


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def part(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """`/connections/{id}/part?shape=card|line|body&was=VERDICT`: one of the cards alone, for the live page."""
    described = _described(member, connection_id)
    shape = request.GET.get("shape", "")
    if shape not in _SHAPES:
        raise Http404
    shown = drawn.line(member, described) if shape == "line" else drawn.cards(member, [described])[0]
    answer = render(request, _SHAPES[shape], {"card": shown})
    if request.GET.get("was", described.verdict.verdict) != described.verdict.verdict:
        answer["HX-Trigger"] = "rearranged"
    return answer


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def ledger(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """`/connections/{id}/ledger`: what happened to it, newest first."""
    described = _described(member, connection_id)
    context = {
        "nav": "integrations",
        "card": drawn.line(member, described),
        "ledger": happened.lines(member, described.connection),
    }
    alone = "HX-Request" in request.headers
    return render(request, "partials/ledger.html" if alone else "ledger.html", context)


def _described(member: Member, connection_id: UUID) -> Description:
    found = described_all(connections_of(member).filter(pk=connection_id))
    if not found:
        raise Http404
    return found[0]


def _mine(member: Member, connection_id: UUID) -> Connection:
    connection = access_connection(member, connection_id)
    if connection is None:
        raise Http404
    check_manages(member, connection)
    return connection


@require_POST
@member_page
def verify(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Verify now”."""
    connection = _mine(member, connection_id)
    if (standing := installation.standing()).adopted:
        probe.verify(connection, trigger=member.user.email)
    else:
        messages.error(request, f"Not checked. {standing.sentence}")
    return _back(request, connection)


@require_POST
@member_page
def test_email(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Send me a test email”."""
    connection = _mine(member, connection_id)
    try:
        send_test_email(member, connection)
    except NotReady:
        return _back(request, connection, refused=str(connection.pk))
    return _back(request, connection, tested=str(connection.pk))


def _back(request: HttpRequest, connection: Connection, **told: str) -> HttpResponse:
    """To where the button was: what was searched for stands, and among many the line is unfolded again."""
    came = urlsplit(request.headers.get("Referer", ""))
    asked = dict(parse_qsl(came.query)) if came.path == HOME else {}
    path = f"{HOME}{integrations.Wanted.of(asked).query()}#connection-{connection.pk}"
    return HttpResponseRedirect(with_query(path, **told))
