"""“Use a Service Account Key”: an organization's own account, connected by a key that was made at the provider."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from truesend.connections import consent, keyed
from truesend.connections.beginning import stopped
from truesend.connections.causes import consent_sentence
from truesend.connections.describe import account_label, key_url
from truesend.connections.models import Connection, Kind
from truesend.organizations import roles
from truesend.organizations.access import access_connection, check, check_manages
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending import leaving, reconcile
from truesend.sending.selftest import send_test_email
from truesend.sending.submit import NotReady
from truesend.web import account_state, notices
from truesend.web.gate import member_page


def offers(member: Member) -> list[dict[str, str]]:
    """Providers that take a key from this member, as {name, url, note}."""
    if not roles.allows(member.role, roles.Action.CONNECT_SHARED):
        return []
    return [
        {"name": adapter.name, "url": key_url(adapter.key), "note": adapter.key_note}
        for adapter in registry.PROVIDERS.values()
        if adapter.takes_key
    ]


@sensitive_post_parameters("key")
@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def connect(request: HttpRequest, member: Member, provider: str) -> HttpResponse:
    """`/integration/key/{provider}[?connection=ID]`: paste, check, connected."""
    if provider not in registry.PROVIDERS or not registry.provider(provider).takes_key:
        raise Http404
    connection = _replaced(member, provider, request.GET.get("connection", ""))
    if connection is not None:
        check_manages(member, connection)
    check(member, roles.Action.CONNECT_SHARED)
    if stopped(member, connection):
        return account_state.refusal(request, member)
    if request.method == "GET":
        return _form(request, provider, connection)
    try:
        connected = keyed.connect(member, provider, request.POST.get("key", ""), connection)
    except keyed.NotConnected as refused:
        return _form(request, provider, connection, refused)
    if request.POST.get("test_email") == "1":
        with suppress(NotReady):  # the card says why
            send_test_email(member, connected)
    leaving.is_back(connected)
    reconcile.look_again(connected.pk)
    notices.remember(request.session, str(connected.pk))
    return HttpResponseRedirect(f"/integration?connected={connected.pk}")


def _replaced(member: Member, provider: str, text: str) -> Connection | None:
    """The connection that gets another key; somebody else's, or one that is no shared one, is a 404."""
    if not text:
        return None
    connection_id = consent.parse_connection_id(text)
    connection = access_connection(member, connection_id) if connection_id else None
    if connection is None or connection.provider != provider or connection.kind != Kind.ORGANIZATION:
        raise Http404
    return connection


def _form(
    request: HttpRequest,
    provider: str,
    connection: Connection | None,
    refused: keyed.NotConnected | None = None,
) -> HttpResponse:
    """What was pasted is never shown again."""
    adapter = registry.provider(provider)
    problem, words = "", ""
    if refused is not None:
        words = refused.words
        problem = consent_sentence(refused.cause, adapter.name, words, reconnecting=connection is not None)
    context: dict[str, Any] = {
        "nav": "integrations",
        "provider_name": adapter.name,
        "action": key_url(provider, connection),
        "account": account_label(connection) if connection else "",
        "steps": adapter.key_steps,
        "problem": problem,
        "words": "" if words in problem else words,
        "cause": refused.cause if refused else "",
    }
    return render(request, "connect_key.html", context, status=400 if refused else 200)
