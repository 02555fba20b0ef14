"""The way to a provider's consent page and back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET

from truesend.connections import consent
from truesend.connections.beginning import stopped
from truesend.connections.causes import consent_sentence
from truesend.connections.models import Connection, Kind
from truesend.connections.return_address import redirect_uri
from truesend.diagnostics.return_addresses import refused_by_rule
from truesend.organizations.access import access_connection, check_connects, check_manages, member_of
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.sending import leaving, reconcile, selftest
from truesend.sending.submit import NotReady
from truesend.web import account_state, notices
from truesend.web.gate import member_page
from truesend.web.paths import local_path, with_query


@require_GET
@member_page
def start(request: HttpRequest, member: Member, provider: str) -> HttpResponse:
    """`GET /oauth/{provider}/start`: to the provider's consent page."""
    if provider not in registry.PROVIDERS:
        raise Http404
    adapter = registry.provider(provider)
    next_path = local_path(request.GET.get("next", ""))
    asked = [one for part in request.GET.get("capabilities", "").split(",") if (one := part.strip(" "))]
    wanted = request.GET.get("kind", "") or Kind.PERSONAL
    for what, given, known in (
        ("capability", asked, list(Capability)),
        ("kind of account", [wanted], Kind.values),
    ):
        if unknown := [one for one in given if one not in known]:
            return _unknown(request, what, unknown[0], known)
    if not adapter.is_configured():
        return _refused(request, next_path, "client_missing", provider)
    if refused_by_rule(adapter) is not None:
        # Its page would lead nowhere.
        return _refused(request, next_path, "address_refused", provider)
    kind = Kind(wanted)
    connection = _reconnecting(member, provider, request.GET.get("connection", ""))
    if connection is not None:
        check_manages(member, connection)
    check_connects(member, provider, connection.kind if connection is not None else kind)
    if stopped(member, connection):
        return account_state.refusal(request, member)
    assert request.session.session_key is not None
    return HttpResponseRedirect(
        consent.start(
            member,
            session_key=request.session.session_key,
            provider=provider,
            kind=kind,
            capabilities=[
                one
                for one in Capability
                if one in (asked or [Capability.SEND]) and one in adapter.capabilities
            ],
            connection=connection,
            next_path=next_path,
            test_email=request.GET.get("test_email") == "1",
            resets=connection is not None and request.GET.get("reset") == "1",
        )
    )


def _unknown(request: HttpRequest, what: str, given: str, known: Sequence[str]) -> HttpResponse:
    """An address that asks for what there is not: somebody typed it, or follows an old link."""
    shown = "".join(c if c.isprintable() else " " for c in given[:40])
    context = {
        "title": "Nothing was connected",
        "sentence": f"There is no {what} “{shown}”; known are: {', '.join(known)}.",
        "fix": {"label": "Start again", "url": "/integration"},
    }
    return render(request, "problem.html", context, status=400)


def _reconnecting(member: Member, provider: str, text: str) -> Connection | None:
    if not text:
        return None
    connection_id = consent.parse_connection_id(text)
    connection = access_connection(member, connection_id) if connection_id else None
    if connection is None or connection.provider != provider:
        raise Http404
    return connection


@require_GET
def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """`GET /oauth/{provider}/callback`: back from the provider, in the session that started."""
    if provider not in registry.PROVIDERS:
        raise Http404
    permitted = registry.provider(provider).read_admin_answer(request.GET.dict())
    if permitted is not None:
        return _administrator(request, provider, permitted=permitted)
    member = member_of(request.user)
    if member is None or request.session.session_key is None:
        return _state_invalid(request, provider)
    try:
        finished = consent.finish(
            member,
            session_key=request.session.session_key,
            provider=provider,
            state=request.GET.get("state", ""),
            code=request.GET.get("code", ""),
            error=request.GET.get("error", ""),
            description=request.GET.get("error_description", ""),
            prove=selftest.prove,
        )
    except consent.StateInvalid:
        return _state_invalid(request, provider)
    except consent.ConsentFailed as failure:
        told = notices.failed_consent(member, failure.cause, provider)
        if not failure.consent.next_path.startswith("/integration"):
            # That page shows the notice by itself; every other one shows messages.
            messages.error(request, f"{told['title']} {told['sentence']}")
        return _to(failure.consent.next_path, cause=failure.cause, provider=provider)
    if finished.consent.test_email and not finished.consent.resets:
        with suppress(NotReady):  # the card says why
            selftest.send_test_email(member, finished.connection)
    leaving.is_back(finished.connection)
    # With the permission to read, what had to be asked of a person may be found.
    reconcile.look_again(finished.connection.pk)
    told = {"reset": "1"} if finished.consent.resets else {}
    return _to(finished.consent.next_path, connected=str(finished.connection.pk), **told)


@require_GET
@member_page
def pages(request: HttpRequest, member: Member, provider: str) -> HttpResponse:
    """`GET /oauth/{provider}/pages`: “What did its page say?”, for error pages from which nobody is sent back."""
    if provider not in registry.PROVIDERS:
        raise Http404
    adapter = registry.provider(provider)
    context = {
        "nav": "integrations",
        "provider_name": adapter.name,
        "provider": provider,
        "pages": notices.dead_ends(member, adapter),
        "redirect_uri": redirect_uri(provider),
        "again": notices.start_again(member, provider),
    }
    return render(request, "provider_pages.html", context)


def _administrator(request: HttpRequest, provider: str, *, permitted: bool) -> HttpResponse:
    """To somebody who need not have an account here: it changes nothing, and nothing of the address is repeated."""
    name = registry.provider(provider).name
    context = {
        "title": "Permitted for your organization" if permitted else "Nothing was permitted",
        "sentence": f"{name} has noted it. Whoever asked you can now connect their account."
        if permitted
        else f"{name} noted no permission. The link that you were sent goes on working.",
    }
    return render(request, "problem.html", context)


def _state_invalid(request: HttpRequest, provider: str) -> HttpResponse:
    name = registry.provider(provider).name
    context = {
        "title": "Nothing was connected",
        "cause": "state_invalid",
        "sentence": consent_sentence("state_invalid", name),
        "fix": {"label": "Start again", "url": "/integration"},
    }
    return render(request, "problem.html", context, status=400)


def _refused(request: HttpRequest, next_path: str, cause: str, provider: str) -> HttpResponse:
    """Nobody was sent away, so there is no consent that tells the next page of it."""
    notices.remember(request.session, cause)
    return _to(next_path, cause=cause, provider=provider)


def _to(next_path: str, **result: str) -> HttpResponse:
    return HttpResponseRedirect(with_query(next_path, **result))
