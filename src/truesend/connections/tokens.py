"""The secrets of a connection: storing, reading and renewing them.

One connection is one transaction: lock the row, read again behind the lock, make one call, commit before use.
"""

from __future__ import annotations

import dataclasses
import random
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import Error as DatabaseUnable
from django.db import transaction

from truesend import clock
from truesend.connections import proofs, rescue
from truesend.connections.causes import Severity, cause
from truesend.connections.models import Connection, LedgerKind, Proof, Token
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.contract import Evidence, Grant
from truesend.providers.errors import ProviderError

# An access token with less life than this is renewed before use.
MARGIN = timedelta(minutes=2)
LONGEST_BETWEEN = timedelta(minutes=50)
# After a failure that passes by itself, and after one that somebody must repair first.
RETRY = timedelta(minutes=2)
RETRY_BROKEN = timedelta(minutes=15)
# A renewal that worked proves the grant as well; that the key works says nothing of the next renewal.
_RENEWED = [Evidence("renew", True, "token.refresh"), Evidence("grant", True, "token.refresh")]


def replace(connection: Connection, grant: Grant, now: datetime) -> None:
    """Store the grant of a new consent. A consent without refresh token keeps the one we have."""
    access = seal(grant.access_token, place=f"token.access:{connection.pk}")
    refresh = (
        seal(grant.refresh_token, place=f"token.refresh:{connection.pk}") if grant.refresh_token else None
    )
    times = {
        "access_issued_at": now,
        "access_expires_at": now + timedelta(seconds=grant.expires_in),
        "due_at": _due(now, grant.expires_in),
        "dead_at": None,
        "grant_ends_at": (
            now + timedelta(seconds=grant.refresh_expires_in) if grant.refresh_expires_in else None
        ),
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
    """At 80 % of life or 15 minutes before the end, whichever is first to come, jittered.

    A token that lives for a day is renewed within the hour all the same: the renewal is the proof of the grant.
    """
    seconds = min(expires_in * 0.8, max(expires_in - 900, expires_in * 0.5), LONGEST_BETWEEN.total_seconds())
    return now + timedelta(seconds=seconds * random.uniform(0.92, 1.0))  # noqa: S311


@dataclasses.dataclass(frozen=True)
class Held:
    """An access token that was opened once, to be used while its row stays the same."""

    text: str = dataclasses.field(repr=False)
    sealed: bytes = dataclasses.field(repr=False)


def held(token: Token, before: Held | None = None) -> Held | None:
    """The access token of a row read before; None where it is to be renewed first. ``before``: opened earlier."""
    if token.access_expires_at - clock.now() <= MARGIN:
        return None
    sealed = bytes(token.access)
    if before is not None and before.sealed == sealed:
        return before
    try:
        return Held(_open(sealed, f"token.access:{token.pk}"), sealed)
    except ProviderError:  # unreadable: the renewal says so, where it cannot help
        return None


def access_token(connection: Connection, *, trigger: str, renew: bool = False, refused: bool = False) -> str:
    """An access token with life left in it, renewed where needed.

    ``renew`` asks for a new one whatever its age, ``refused`` because the provider no longer takes the one we have.
    Raises :class:`ProviderError`; the failure is recorded as a proof before it is raised.
    """
    began = clock.now()
    token = Token.objects.filter(pk=connection.pk).first()
    if token is None:
        raise ProviderError("disconnected", "")
    if refused:
        # Until it is renewed nothing goes on with it, whatever its age.
        Token.objects.filter(pk=token.pk, version=token.version).update(access_expires_at=began)
    if not (renew or refused) and token.access_expires_at - began > MARGIN:
        with suppress(ProviderError):  # unreadable: the renewal says so, where it cannot help
            return _open(token.access, f"token.access:{connection.pk}")
    if not installation.may_act():
        raise ProviderError("not_adopted", "")
    return _renew(connection, token.version, trigger, began)


def _renew(
    connection: Connection, seen_version: int, trigger: str, began: datetime, *, wait: bool = True
) -> str:
    """One renewal for all who ask at the same time: they wait for the row, then take what came of it.

    ``wait=False`` gives up (with an empty answer) where somebody else is at it.
    """
    failure: ProviderError | None = None
    fresh = ""
    answered: Grant | None = None
    try:
        with transaction.atomic():
            locked = Token.objects.select_for_update(skip_locked=not wait)
            token = locked.filter(pk=connection.pk).first()
            if token is None:
                if wait or not Token.objects.filter(pk=connection.pk).exists():
                    raise ProviderError("disconnected", "")
                return ""
            if token.version != seen_version:
                # Somebody else renewed while we waited for the lock.
                return _open(token.access, f"token.access:{connection.pk}")
            if (just_failed := _failure_since(connection, began)) is not None:
                raise just_failed
            kept = rescue.read(connection.pk, token.version)
            now = clock.now()
            if kept is not None:
                replace(connection, kept.grant, kept.at)
                proofs.record(
                    connection,
                    _RENEWED,
                    kind=LedgerKind.REFRESH,
                    trigger="rescue",
                    at=kept.at,
                )
                token.refresh_from_db()
                if token.access_expires_at - now > MARGIN:
                    fresh = kept.grant.access_token
            if not fresh:
                try:
                    answered = _call(connection, token)
                except ProviderError as error:
                    failure = error
                    _postpone(token, error, now)
                    evidence = [Evidence("renew", False, "token.refresh", error.cause, error.words)]
                else:
                    fresh = answered.access_token
                    replace(connection, answered, now)
                    # It has worked, so the one before it is no longer needed.
                    Token.objects.filter(pk=connection.pk).update(previous_refresh=None)
                    evidence = _RENEWED
                proofs.record(connection, evidence, kind=LedgerKind.REFRESH, trigger=trigger)
    except DatabaseUnable:
        if answered is not None:
            rescue.keep(connection.pk, seen_version, answered, now)
        raise
    rescue.forget(connection.pk)
    if failure is not None:
        raise failure
    return fresh


def _call(connection: Connection, token: Token) -> Grant:
    """The renewal itself; where the newest refresh token is dead, the one before it is tried once."""
    if token.refresh is None:
        raise ProviderError("no_refresh_token", "", grant_is_dead=True)
    adapter, place = registry.provider(connection.provider), f"token.refresh:{connection.pk}"
    try:
        return adapter.refresh(_open(token.refresh, place))
    except ProviderError as error:
        if not error.grant_is_dead or token.previous_refresh is None:
            raise
        dead = error
    earlier = _open(token.previous_refresh, place)
    try:
        grant = adapter.refresh(earlier)
    except ProviderError:
        raise dead from None
    return dataclasses.replace(grant, refresh_token=grant.refresh_token or earlier)


def _postpone(token: Token, error: ProviderError, now: datetime) -> None:
    wait = RETRY_BROKEN if cause(error.cause).severity is Severity.BROKEN else RETRY
    token.due_at = now + wait * random.uniform(0.8, 1.2)  # noqa: S311
    token.dead_at = now if error.grant_is_dead else None
    token.save(update_fields=["due_at", "dead_at"])


def _failure_since(connection: Connection, began: datetime) -> ProviderError | None:
    """The failure of a renewal that ended while we waited for our turn: asking again would tell the same."""
    found = Proof.objects.filter(connection=connection, check_name="renew", ok=False, at__gt=began).first()
    return ProviderError(found.cause, found.words) if found is not None else None


def _open(sealed: bytes | memoryview, place: str) -> str:
    try:
        return open_sealed(sealed, place=place)
    except SecretUnreadable as error:
        raise ProviderError("secret_unreadable", str(error)) from None


def secret_to_revoke(token: Token) -> str | None:
    """The refresh token, or where there is none the access token; None where it cannot be read."""
    kind, sealed = ("refresh", token.refresh) if token.refresh else ("access", token.access)
    try:
        return open_sealed(sealed, place=f"token.{kind}:{token.pk}")
    except SecretUnreadable:
        return None


def due(limit: int) -> list[UUID]:
    """Connections whose token is due for renewal and whose grant is not known to be dead."""
    rows = Token.objects.filter(due_at__lte=clock.now(), dead_at=None, connection__disconnected_at=None)
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def refresh_if_due(connection_id: UUID) -> None:
    """Renew one token that is due; a failure is recorded and tried again later."""
    connection = Connection.objects.filter(pk=connection_id, disconnected_at=None).first()
    now = clock.now()
    token = Token.objects.filter(pk=connection_id, due_at__lte=now, dead_at=None).first()
    if connection is None or token is None or not installation.may_act():
        return
    with suppress(ProviderError):
        _renew(connection, token.version, "schedule", now, wait=False)
