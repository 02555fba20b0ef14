"""Ending a connection here and, where nobody else needs it, at the provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Ended:
    """A connection that was ended, and what is to be withdrawn at the provider once that is committed."""

    connection: Connection
    trigger: str
    secret: str | None = field(repr=False)


def disconnect(connection: Connection, *, trigger: str, within: Callable[[], object] = lambda: None) -> bool:
    """End the connection; True where this call ended it. Revoking at the provider may fail, and then says so.

    ``within`` is done in the same transaction, before anything is asked of the provider.
    """
    with transaction.atomic():
        ended = end(connection, trigger=trigger)
        if ended is None:
            return False
        within()
    revoke(ended)
    return True


def end(connection: Connection, *, trigger: str) -> Ended | None:
    """End the connection in the caller's transaction, who calls :func:`revoke` after it; ``None``: it was ended."""
    # Locked first: a renewal that runs right now ends before, and what it brought is revoked too.
    token = Token.objects.select_for_update().filter(pk=connection.pk).first()
    ended = Connection.objects.filter(pk=connection.pk, disconnected_at=None).update(
        disconnected_at=clock.now()
    )
    if ended != 1:
        return None
    secret = tokens.secret_to_revoke(token) if token is not None else None
    Token.objects.filter(pk=connection.pk).delete()
    rescue.forget(connection.pk)
    proofs.note(connection, LedgerKind.DISCONNECT, trigger=trigger, result="ok")
    live_events.publish(connection.organization_id, "verdict", [connection.pk])
    return Ended(connection, trigger, secret)


def revoke(ended: Ended) -> None:
    """Withdraw the permission at the provider; where that fails, the ledger says so."""
    connection = ended.connection
    if shares_account(connection) or not installation.may_act():
        return  # somebody else lives on this grant
    try:
        if ended.secret is None:
            raise ProviderError("secret_unreadable", "")
        registry.provider(connection.provider).revoke(ended.secret)
    except ProviderError as error:
        proofs.note(
            connection,
            LedgerKind.DISCONNECT,
            trigger=ended.trigger,
            result=error.cause,
            words=error.words,
            ref="revoke",
        )
