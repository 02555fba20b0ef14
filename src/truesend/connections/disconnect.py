"""Ending a connection here and, where nobody else needs it, at the provider."""

from __future__ import annotations

from django.db import transaction

from truesend import clock, live_events
from truesend.connections import proofs, tokens
from truesend.connections.models import Connection, LedgerKind, Token
from truesend.providers import registry
from truesend.providers.errors import ProviderError


def shares_account(connection: Connection) -> bool:
    """Whether another live connection of this installation holds the same account: their grants die together."""
    return (
        Connection.objects.filter(
            provider=connection.provider, subject=connection.subject, disconnected_at=None
        )
        .exclude(pk=connection.pk)
        .exists()
    )


def disconnect(connection: Connection, *, trigger: str) -> bool:
    """End the connection; True where this call ended it. Revoking at the provider may fail, and then says so."""
    refresh_token = tokens.refresh_token_of(connection)
    with transaction.atomic():
        ended = Connection.objects.filter(pk=connection.pk, disconnected_at=None).update(disconnected_at=clock.now())
        if ended != 1:
            return False
        Token.objects.filter(pk=connection.pk).delete()
        proofs.note(connection, LedgerKind.DISCONNECT, trigger=trigger, result="ok")
        live_events.publish(connection.organization_id, "verdict", [connection.pk])
    if refresh_token is None or shares_account(connection):
        return True
    try:
        registry.provider(connection.provider).revoke(refresh_token)
    except ProviderError as error:
        proofs.note(
            connection, LedgerKind.DISCONNECT, trigger=trigger, result=error.cause, words=error.words, ref="revoke"
        )
    return True
