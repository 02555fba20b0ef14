"""A mailbox's day, drawn, and lowered by whoever manages the mailbox."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from truesend import live_events
from truesend.connections.models import Connection
from truesend.organizations.access import access_connection, check_manages, manages
from truesend.organizations.models import Member
from truesend.sending import day
from truesend.web import day_chart
from truesend.web.gate import member_page


def _connection(member: Member, connection_id: UUID) -> Connection:
    found = access_connection(member, connection_id)
    if found is None:
        raise Http404
    return found


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def page(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """The drawing on a page of its own; for a card (`?part`) without the page around it."""
    connection = _connection(member, connection_id)
    context = {
        "nav": "integrations",
        "connection": {"id": str(connection.pk)},
        "day": day_chart.of(connection),
        "can_lower": manages(member, connection),
    }
    return render(request, "partials/day.html" if "part" in request.GET else "day.html", context)


@require_POST
@member_page
def limit(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Keep to it”: a lower figure than the provider's, or none of one's own."""
    connection = _connection(member, connection_id)
    check_manages(member, connection)
    text = request.POST.get("most", "").strip()
    try:
        most = day.lower(connection, int(text) if text else None) if _is_number(text) else None
    except day.NotLower as error:
        messages.error(request, str(error))
    else:
        if text and most is None:
            messages.error(request, "That is not a number of emails. Nothing was changed.")
        else:
            kept = f"at most {most:,} emails in 24 hours" if most else "what its provider takes"
            messages.success(request, f"{connection.address} keeps to {kept}.")
            live_events.publish(connection.organization_id, "verdict", [connection.pk])
    return HttpResponseRedirect(f"/connections/{connection.pk}/day")


def _is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) < 8)
