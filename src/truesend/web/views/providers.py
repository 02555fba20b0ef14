"""What the operator of this installation sets up: its client at each provider, and whether the provider takes it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from truesend.connections import clients as ours
from truesend.connections.causes import Who, core
from truesend.connections.describe import people_who
from truesend.diagnostics import return_addresses
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Provider
from truesend.web import provider_cards
from truesend.web.gate import member_page, names
from truesend.web.provider_cards import Typed

_PAGE = "/settings/providers"
_MOST = 2000


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def providers(request: HttpRequest, member: Member) -> HttpResponse:
    """All of them."""
    if not member.user.is_operator:
        return _refused(request, member)
    return _page(request)


@require_POST
@cache_control(private=True, no_store=True)
@member_page
def save(request: HttpRequest, member: Member, provider: str) -> HttpResponse:
    """“Check and save”: the provider is asked first, and what it refuses replaces nothing."""
    if not member.user.is_operator:
        return _refused(request, member)
    adapter = _adapter(provider)
    client_id = request.POST.get("client_id", "")[:_MOST]
    extra = {one.name: request.POST.get(one.name, "")[:_MOST] for one in adapter.setup.extras}
    insists = frozenset(one for one in ("refused", "other") if request.POST.get(f"although_{one}"))
    try:
        answer = ours.set_up(
            member.user,
            provider,
            client_id=client_id,
            secret=request.POST.get("secret", "")[:_MOST],
            extra=extra,
            version=_number(request.POST.get("version", "")),
            although_refused="refused" in insists,
            although_other="other" in insists,
        )
    except ours.Refused as refusal:
        told = refusal.evidence
        typed = Typed(client_id, extra, cause=told.cause, words=told.words, insists=insists)
    except ours.OtherClient as other:
        typed = Typed(client_id, extra, ends=other.count, insists=insists)
    except ours.NotSaved as problem:
        typed = Typed(client_id, extra, problem=str(problem), faulty=problem.field, insists=insists)
    else:
        _tell(request, adapter, answer, "Saved.")
        return HttpResponseRedirect(f"{_PAGE}#{provider}")
    return _page(request, {provider: typed}, status=400)


@require_POST
@member_page
def check(request: HttpRequest, member: Member, provider: str) -> HttpResponse:
    """“Check now”."""
    if not member.user.is_operator:
        return _refused(request, member)
    adapter = _adapter(provider)
    answer = ours.check(provider)
    if answer is None:
        messages.error(request, f"There is nothing to ask {adapter.name} about: no client is set up.")
    else:
        _tell(request, adapter, answer, "Checked.")
    return HttpResponseRedirect(f"{_PAGE}#{provider}")


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def remove(request: HttpRequest, member: Member, provider: str) -> HttpResponse:
    """“Remove”: the consequences first, then a button."""
    if not member.user.is_operator:
        return _refused(request, member)
    adapter = _adapter(provider)
    if request.method == "POST":
        if ours.remove(member.user, provider):
            messages.success(request, f"Removed. {adapter.name} can no longer be connected from here.")
        return HttpResponseRedirect(f"{_PAGE}#{provider}")
    if ours.known(provider).row is None:
        return HttpResponseRedirect(f"{_PAGE}#{provider}")
    context = {"nav": "account", "key": provider, "name": adapter.name, "ends": ours.connected(provider)}
    return render(request, "provider_remove.html", context)


def _adapter(provider: str) -> Provider:
    if provider not in registry.PROVIDERS:
        raise Http404
    return registry.provider(provider)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _tell(request: HttpRequest, adapter: Provider, answer: ours.Answer, done: str) -> None:
    if not answer.cause:
        messages.success(request, f"{done} {adapter.name} takes this id and secret.")
    else:
        messages.error(request, f"{done} {core(answer.cause, adapter.name, answer.evidence.words)}")


def _page(request: HttpRequest, typed: dict[str, Typed] | None = None, status: int = 200) -> HttpResponse:
    found = provider_cards.cards(typed)
    context: dict[str, Any] = {
        "nav": "account",
        "cards": found,
        "summary": provider_cards.summary(found),
        "finding": return_addresses.of_public_url(),
    }
    return render(request, "providers.html", context, status=status)


def _refused(request: HttpRequest, member: Member) -> HttpResponse:
    context = {
        "title": "Not yours to change",
        "sentence": "Only the operator of this installation can set up providers.",
        "who": names(people_who(Who.OPERATOR, member)),
        "fix": {"label": "Back", "url": "/account"},
    }
    return render(request, "problem.html", context, status=403)
