"""“Ask an owner”: to connect an account for everybody, or to help a connection."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from truesend.alerts import asks, texts
from truesend.connections.describe import Description, described_all
from truesend.organizations import rights, system_mail
from truesend.organizations.access import connections_of, manages
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.web.gate import member_page
from truesend.web.paths import HOME, local_path


@require_http_methods(["GET", "POST"])
@member_page
def about_connection(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """`/connections/{id}/ask`: have somebody reconnect or look at a shared connection."""
    found = described_all(connections_of(member).filter(pk=connection_id))
    if not found:
        raise Http404
    (about,) = found
    if manages(member, about.connection):
        return HttpResponseRedirect(f"/integration#connection-{about.connection.pk}")
    return _ask(request, member, about.connection.provider, about)


@require_http_methods(["GET", "POST"])
@member_page
def to_connect(request: HttpRequest, member: Member, provider: str) -> HttpResponse:
    """`/oauth/{provider}/ask`: have somebody connect an account for everybody."""
    if provider not in registry.PROVIDERS:
        raise Http404
    if not rights.connects(member, rights.SHARED):
        return HttpResponseRedirect("/integration#connect")
    return _ask(request, member, provider, None)


def _ask(request: HttpRequest, member: Member, provider: str, about: Description | None) -> HttpResponse:
    next_path = local_path(request.GET.get("next", ""))
    return ask_somebody(request, member, provider, about, asks.people(member), next_path)


def ask_somebody(
    request: HttpRequest,
    member: Member,
    provider: str,
    about: Description | None,
    people: Sequence[Member],
    next_path: str,
) -> HttpResponse:
    """The page that asks one of ``people``, and by POST the question; then back to ``next_path``."""
    wish = asks.wish(member, provider, about)
    if request.method == "GET" or not people:
        context = {
            "nav": "integrations",
            "wish": wish,
            "people": people,
            "can_mail": system_mail.is_configured(),
            "link": texts.link(wish.path),
            "back": next_path,
            "organization": member.organization.name,
        }
        return render(request, "ask.html", context)
    chosen = request.POST.get("of", "")
    asked = next((one for one in people if str(one.pk) == chosen), people[0])
    asked_from = next_path if next_path != HOME else ""
    done = asks.ask(member, asked, provider, about, next_path=asked_from)
    name = asked.user.get_full_name()
    if not system_mail.is_configured():
        messages.warning(
            request,
            f"This installation sends no mail of its own. Send {name} this address: {texts.link(wish.path)}",
        )
    elif done.mailed:
        messages.success(request, f"{name} is asked to {wish.what}. You are told when it is done.")
    else:
        messages.success(request, f"{name} was asked within the last hour. You are told when it is done.")
    return HttpResponseRedirect(next_path)
