"""The secrets of a connection: storing, reading and renewing them.

One connection is one transaction: lock the row, read again behind the lock, make one call, commit before use.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from truesend import clock
from truesend.connections import proofs
from truesend.connections.models import Connection, LedgerKind, Token
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.providers import registry
from truesend.providers.contract import Evidence, Grant
from truesend.providers.errors import ProviderError

# An access token with less life than this is renewed before use.
MARGIN = timedelta(minutes=2)
RETRY = timedelta(minutes=2)


def replace(connection: Connection, grant: Grant, now: datetime) -> None:
    """Store the grant of a new consent. A consent without refresh token keeps the one we have."""
    access = seal(grant.access_token, place=f"token.access:{connection.pk}")
    refresh = seal(grant.refresh_token, place=f"token.refresh:{connection.pk}") if grant.refresh_token else None
    times = {
        "access_issued_at": now,
        "access_expires_at": now + timedelta(seconds=grant.expires_in),
        "due_at": _due(now, grant.expires_in),
        "dead_at": None,
    }
    held = Token.objects.select_for_update().filter(pk=connection.pk).first()
    if held is None:
        Token.objects.create(connection=connection, access=access, refresh=refresh, **times)
        return
    held.access = access
    if refresh is not None:
        held.previous_refresh, held.refresh = held.refresh, refresh
    held.version += 1
    for name, value in times.items():
        setattr(held, name, value)
    held.save(update_fields=["access", "refresh", "previous_refresh", "version", *times])


def _due(now: datetime, expires_in: int) -> datetime:
    """At 80 % of life or 15 minutes before the end, whichever is first to come, jittered."""
    seconds = min(expires_in * 0.8, max(expires_in - 900, expires_in * 0.5))
    return now + timedelta(seconds=seconds * random.uniform(0.92, 1.0))  # noqa: S311


def access_token(connection: Connection, *, trigger: str, renew: bool = False) -> str:
    """An access token with life left in it, renewed where needed.

    ``renew`` asks for a new one whatever its age (the provider refused the one we have). Raises
    :class:`ProviderError`; the failure is recorded as a proof before it is raised.
    """
    now = clock.now()
    token = Token.objects.filter(pk=connection.pk).first()
    if token is None:
        raise ProviderError("disconnected", "")
    if not renew and token.access_expires_at - now > MARGIN:
        return _open(token.access, f"token.access:{connection.pk}")
    return _renew(connection, token.version, trigger)


def _renew(connection: Connection, seen_version: int, trigger: str) -> str:
    failure: ProviderError | None = None
    fresh = ""
    with transaction.atomic():
        token = Token.objects.select_for_update().filter(pk=connection.pk).first()
        if token is None:
            raise ProviderError("disconnected", "")
        if token.version != seen_version:
            # Somebody else renewed while we waited for the lock.
            return _open(token.access, f"token.access:{connection.pk}")
        now = clock.now()
        try:
            if token.refresh is None:
                raise ProviderError("no_refresh_token", "", grant_is_dead=True)
            grant = registry.provider(connection.provider).refresh(
                _open(token.refresh, f"token.refresh:{connection.pk}")
            )
        except ProviderError as error:
            failure = error
            token.due_at = now + RETRY
            token.dead_at = now if error.grant_is_dead else None
            token.save(update_fields=["due_at", "dead_at"])
            evidence = Evidence("grant", False, "token.refresh", error.cause, error.words)
        else:
            fresh = grant.access_token
            replace(connection, grant, now)
            evidence = Evidence("grant", True, "token.refresh")
        proofs.record(connection, [evidence], kind=LedgerKind.REFRESH, trigger=trigger)
    if failure is not None:
        raise failure
    return fresh


def _open(sealed: bytes | memoryview, place: str) -> str:
    try:
        return open_sealed(sealed, place=place)
    except SecretUnreadable as error:
        raise ProviderError("secret_unreadable", str(error)) from None


def refresh_token_of(connection: Connection) -> str | None:
    """The refresh token, for revoking; None where there is none to read."""
    token = Token.objects.filter(pk=connection.pk).first()
    if token is None:
        return None
    try:
        return open_sealed(token.refresh or token.access, place=_place(token))
    except SecretUnreadable:
        return None


def _place(token: Token) -> str:
    return f"token.{'refresh' if token.refresh else 'access'}:{token.pk}"


def due(limit: int) -> list[UUID]:
    """Connections whose token is due for renewal and whose grant is not known to be dead."""
    rows = Token.objects.filter(due_at__lte=clock.now(), dead_at=None, connection__disconnected_at=None)
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def refresh_if_due(connection_id: UUID) -> None:
    """Renew one token that is due; a failure is recorded and tried again later."""
    connection = Connection.objects.filter(pk=connection_id, disconnected_at=None).first()
    token = Token.objects.filter(pk=connection_id, due_at__lte=clock.now(), dead_at=None).first()
    if connection is None or token is None:
        return
    try:
        _renew(connection, token.version, "schedule")
    except ProviderError:
        return
