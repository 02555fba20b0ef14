"""Ending a connection here and, where nobody else needs it, at the provider."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from truesend import clock, live_events
from truesend.connections import proofs, rescue, tokens
from truesend.connections.models import Connection, LedgerKind, Token
from truesend.organizations import installation
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


def disconnect(connection: Connection, *, trigger: str, within: Callable[[], object] = lambda: None) -> bool:
    """End the connection; True where this call ended it. Revoking at the provider may fail, and then says so.

    ``within`` is done in the same transaction, before anything is asked of the provider.
    """
    with transaction.atomic():
        # Locked first: a renewal that runs right now ends before, and what it brought is revoked too.
        token = Token.objects.select_for_update().filter(pk=connection.pk).first()
        ended = Connection.objects.filter(pk=connection.pk, disconnected_at=None).update(
            disconnected_at=clock.now()
        )
        if ended != 1:
            return False
        secret = tokens.secret_to_revoke(token) if token is not None else None
        Token.objects.filter(pk=connection.pk).delete()
        rescue.forget(connection.pk)
        proofs.note(connection, LedgerKind.DISCONNECT, trigger=trigger, result="ok")
        within()
        live_events.publish(connection.organization_id, "verdict", [connection.pk])
    if shares_account(connection) or not installation.may_act():
        return True  # somebody else lives on this grant
    try:
        if secret is None:
            raise ProviderError("secret_unreadable", "")
        registry.provider(connection.provider).revoke(secret)
    except ProviderError as error:
        proofs.note(
            connection,
            LedgerKind.DISCONNECT,
            trigger=trigger,
            result=error.cause,
            words=error.words,
            ref="revoke",
        )
    return True
