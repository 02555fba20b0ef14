"""Recording mail of other accounts with a connection's contacts: turned on and off on its card."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from truesend.billing import tiers
from truesend.connections.models import Connection
from truesend.crm import choosing
from truesend.organizations.access import access_connection, check_manages
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.web.gate import member_page


@require_POST
@member_page
def turn_on(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Record emails sent from other accounts”; doing it twice is fine."""
    connection, name = _able(member, connection_id)
    if connection.disconnected_at is not None:
        messages.info(request, f"{connection.address} is disconnected. Connect it again first.")
    elif not choosing.includes(member.organization_id):
        least = tiers.least_with(tiers.Feature.RECORDS).name
        messages.info(request, f"Recording is part of {least}. Nothing was turned on.")
    elif choosing.turn_on(connection, trigger=member.user.email, by=member):
        messages.success(request, f"Emails sent from now on are recorded with their {name} contacts.")
    return HttpResponseRedirect(f"/integration#connection-{connection.pk}")


@require_POST
@member_page
def turn_off(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """“Stop recording”."""
    connection, name = _able(member, connection_id)
    if choosing.turn_off(connection, trigger=member.user.email, by=member):
        messages.success(request, f"Nothing more is recorded with {name} contacts. What is there stays.")
    return HttpResponseRedirect(f"/integration#connection-{connection.pk}")


def _able(member: Member, connection_id: UUID) -> tuple[Connection, str]:
    """A connection that the member manages and whose contacts can be told, and its provider's name."""
    connection = access_connection(member, connection_id)
    if connection is None:
        raise Http404
    check_manages(member, connection)
    if not choosing.offers(connection):
        raise Http404
    return connection, registry.provider(connection.provider).name
