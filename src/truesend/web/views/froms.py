"""What an account may send from besides its own address."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from truesend.connections.models import Connection
from truesend.organizations.access import access_connection
from truesend.organizations.models import Member
from truesend.providers.contract import ProviderError
from truesend.sending.models import Email
from truesend.web.gate import member_page
from truesend.writing import senders
from truesend.writing.models import Sender


def options(
    connection: Connection, known: Iterable[Sender], draft: Email | None = None
) -> list[dict[str, str]]:
    """As Compose offers them, [{value, label}]; what a draft has chosen stays in sight, and the gates judge it."""
    addresses = [one.address for one in known]
    chosen = draft.sender if draft is not None and draft.connection_id == connection.pk else ""
    if chosen and chosen.lower() not in addresses:
        addresses.append(chosen)
    return [
        {"value": f"{connection.pk}/{one}", "label": f"{one} (by {connection.address})"} for one in addresses
    ]


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def listing(request: HttpRequest, member: Member, connection_id: UUID) -> HttpResponse:
    """The addresses of one account as JSON, asked of its provider where that is long ago; else what is known."""
    connection = access_connection(member, connection_id)
    if connection is None or connection.disconnected_at is not None:
        raise Http404
    with suppress(ProviderError):
        senders.look(connection)
    known = senders.of_all([connection.pk]).get(connection.pk, [])
    return JsonResponse({"senders": options(connection, known)})
