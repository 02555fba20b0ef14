"""What is done to a connection after a page that says what happens then: share, take back, reset, disconnect."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from truesend.connections import admin_consent, narrowing
from truesend.connections.describe import start_url
from truesend.connections.models import Connection, Kind
from truesend.connections.sharing import Twice
from truesend.organizations.access import access_connection, check_connects, check_manages, check_shares
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.sending import leaving
from truesend.web import cards, consequences
from truesend.web.gate import member_page
from truesend.web.paths import local_path

_SHARED_ALREADY = "{address} is shared already, by another connection. Disconnect one of the two."
_YOURS_ALREADY = "You have {address} as your own already, by another connection. Disconnect one of the two."


def _connection(member: Member, connection_id: UUID) -> Connection:
    found = access_connection(member, connection_id)
    if found is None:
        raise Http404
    return found


def _ended(request: HttpRequest, connection: Connection) -> HttpResponse:
    """To the page that shows what there is: nothing can be done to this one any more but to connect it again."""
    messages.info(request, f"{connection.address} is disconnected already. Connect it again to use it.")
    return HttpResponseRedirect("/integration")


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def disconnect(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Disconnect”."""
    connection = _connection(member, connection_id)
    check_manages(member, connection)
    if connection.disconnected_at is not None:
        return _ended(request, connection)
    if request.method == "POST":
        if leaving.disconnect(connection, trigger=member.user.email, by=member):
            messages.success(request, f"{connection.address} is disconnected.")
            return HttpResponseRedirect("/integration")
        return _ended(request, connection)
    told = consequences.of_disconnecting(member, connection)
    return _page(
        request, member, connection, f"Disconnect {connection.address}?", told, "Disconnect", ends=True
    )


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def share(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Share with everyone”: a mailbox of one's own becomes everybody's to send from."""
    connection = _connection(member, connection_id)
    check_shares(member, connection)
    if connection.kind != Kind.PERSONAL or connection.disconnected_at is not None:
        return HttpResponseRedirect("/integration")
    if request.method == "POST":
        try:
            if leaving.share(connection, by=member):
                everyone = f"everyone in {member.organization.name}"
                messages.success(request, f"{connection.address} is shared with {everyone}.")
        except Twice:
            messages.error(request, _SHARED_ALREADY.format(address=connection.address))
        return HttpResponseRedirect(f"/integration#connection-{connection.pk}")
    told = consequences.of_sharing(member, connection)
    return _page(request, member, connection, f"Share {connection.address}?", told, "Share with everyone")


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def take_back(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Take it back”: what its member had shared is theirs alone again."""
    connection = _connection(member, connection_id)
    check_shares(member, connection)
    if connection.shared_at is None or connection.disconnected_at is not None:
        return HttpResponseRedirect("/integration")
    if request.method == "POST":
        try:
            if leaving.take_back(connection, by=member):
                messages.success(request, f"Only you send from {connection.address} now.")
        except Twice:
            messages.error(request, _YOURS_ALREADY.format(address=connection.address))
        return HttpResponseRedirect(f"/integration#connection-{connection.pk}")
    told = consequences.of_taking_back(member, connection)
    return _page(request, member, connection, f"Take {connection.address} back?", told, "Take it back")


def _page(
    request: HttpRequest,
    member: Member,
    connection: Connection,
    title: str,
    told: Sequence[str],
    button: str,
    *,
    ends: bool = False,
) -> HttpResponse:
    context = {
        **_about(member, connection),
        "title": title,
        "consequences": told,
        "button": button,
        "ends": ends,
    }
    return render(request, "change.html", context)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def reset(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Reset this connection”: what happens, and the button that goes there."""
    connection = _connection(member, connection_id)
    check_manages(member, connection)
    if connection.disconnected_at is not None:
        return _ended(request, connection)
    check_connects(member, connection.provider, connection.kind)
    name = registry.provider(connection.provider).name
    context = {
        **_about(member, connection),
        "title": f"Reset {connection.address}?",
        "steps": [
            f"You give {name} the permission once more, for the same account.",
            f"Truesend sends a test email to {connection.address} with the new key.",
            f"When {name} has accepted it, the new key takes the place of the old one, and every open page shows it.",
        ],
        "otherwise": "If any of this fails, nothing is changed: the old key stays.",
        "stays": "History, scheduled emails and tracking stay as they are.",
        "button": {"label": "Reset this connection", "url": f"{start_url(connection)}&reset=1"},
    }
    return render(request, "steps.html", context)


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def read(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“See replies and bounces”: what reading is for, and the button that asks for it."""
    connection = _connection(member, connection_id)
    check_manages(member, connection)
    if connection.disconnected_at is not None:
        return _ended(request, connection)
    check_connects(member, connection.provider, connection.kind)
    adapter = registry.provider(connection.provider)
    if Capability.READ not in adapter.capabilities or Capability.READ in connection.asked:
        return HttpResponseRedirect(f"/integration#connection-{connection.pk}")
    capabilities = list(dict.fromkeys([*connection.asked, "read"]))
    back = local_path(request.GET.get("next", ""))
    context = {
        **_about(member, connection),
        "title": "See replies and bounces",
        "lead": f"Truesend may send from {connection.address}. With the permission to read it, it also",
        "steps": [
            "looks into Sent by itself when a send was cut off, instead of asking you;",
            *_carries_more(connection),
            "proves every few minutes that the mailbox works;",
            "has what it needs for replies and bounces: no other permission is asked for.",
        ],
        "otherwise": "It looks for its own emails and what belongs to them. No other mail is kept or shown to anybody.",
        "stays": f"{adapter.name} asks for sending once more on the same page: tick every box.",
        "button": {"label": f"Allow it at {adapter.name}", "url": start_url(connection, capabilities, back)},
        "forward": admin_consent.url(connection.provider, capabilities),
    }
    return render(request, "steps.html", context)


def _carries_more(connection: Connection) -> list[str]:
    """Of a provider that carries larger files from a mailbox which may be read."""
    adapter = registry.provider(connection.provider)
    more, now = adapter.limits_for(adapter.capabilities), adapter.limits_for([Capability.SEND])
    if more.attachment_bytes == now.attachment_bytes:
        return []
    megabytes = [one.attachment_bytes // (1024 * 1024) for one in (more, now)]
    return [f"sends files of {megabytes[0]} MB in place of {megabytes[1]} MB;"]


@require_POST
@member_page
def forgo_reading(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Do without reading”, of a connection that was not given it."""
    connection = _connection(member, connection_id)
    check_manages(member, connection)
    if narrowing.forgo_reading(connection, by=member):
        messages.success(request, f"{connection.address} only sends. “See replies and bounces” asks again.")
    return HttpResponseRedirect(f"/integration#connection-{connection.pk}")


def _about(member: Member, connection: Connection) -> dict[str, object]:
    return {
        "nav": "integrations",
        "provider_name": registry.provider(connection.provider).name,
        "kind_sentence": cards.kind_sentence(member, connection),
        "back": f"/integration#connection-{connection.pk}",
    }
