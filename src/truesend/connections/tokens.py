"""The secrets of a connection: storing them after a consent, and an access token to work with.

How they are renewed stands in :mod:`truesend.connections.renewal`, who renews what is due in ``renewers``.
"""

from __future__ import annotations

import dataclasses
import random
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from truesend import clock
from truesend.connections import renewal, schedule
from truesend.connections.models import Connection, Token
from truesend.connections.renewal import opened
from truesend.connections.schedule import MARGIN
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.contract import Grant
from truesend.providers.errors import ProviderError

# A key that lasts works until somebody takes it back.
_FOR_EVER = timedelta(days=36_500)


def replace(connection: Connection, grant: Grant, now: datetime) -> None:
    """Store the grant of a new consent, or a key that lasts. A consent without refresh token keeps the one we have."""
    access = seal(grant.access_token, place=f"token.access:{connection.pk}")
    refresh = (
        seal(grant.refresh_token, place=f"token.refresh:{connection.pk}") if grant.refresh_token else None
    )
    rotating = registry.provider(connection.provider).renews_once
    ends_in = grant.refresh_expires_in
    values: dict[str, Any] = {
        "access_issued_at": now,
        "access_expires_at": now + timedelta(seconds=grant.expires_in),
        "due_at": schedule.after_success(
            now,
            grant.expires_in,
            renews_once=rotating,
            jitter=random.random(),  # noqa: S311
        ),
        "dead_at": None,
        "grant_ends_at": now + timedelta(seconds=ends_in) if ends_in is not None else None,
        # Whatever was begun or lost with the key before says nothing of this one.
        "begun_at": None,
        "begun_by": None,
        "begun_where": "",
        "begun_until": None,
        "lost_at": None,
        "lost_how": "",
    }
    if grant.lasting:
        values |= {"access_expires_at": now + _FOR_EVER, "due_at": None}
    held = Token.objects.select_for_update().filter(pk=connection.pk).first()
    if held is None:
        Token.objects.create(connection=connection, access=access, refresh=refresh, **values)
        return
    held.access = access
    if refresh is not None or grant.lasting:
        held.previous_refresh, held.refresh = held.refresh, refresh
    held.version += 1
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=["access", "refresh", "previous_refresh", "version", *values])


@dataclasses.dataclass(frozen=True)
class Held:
    """An access token that was opened once, to be used while its row stays the same."""

    text: str = dataclasses.field(repr=False)
    sealed: bytes = dataclasses.field(repr=False)


def held(token: Token, before: Held | None = None) -> Held | None:
    """The access token of a row read before; None where it is to be renewed first. ``before``: opened earlier."""
    if token.due_at is not None and token.access_expires_at - clock.now() <= MARGIN:
        return None
    sealed = bytes(token.access)
    if before is not None and before.sealed == sealed:
        return before
    try:
        return Held(opened(sealed, f"token.access:{token.pk}"), sealed)
    except ProviderError:  # unreadable: the renewal says so, where it cannot help
        return None


def at_hand(connection: Connection) -> str | None:
    """The access token that a send would take without a renewal; None where there is none."""
    token = Token.objects.filter(pk=connection.pk).first()
    kept = held(token) if token is not None else None
    return kept.text if kept is not None else None


def access_token(connection: Connection, *, trigger: str, renew: bool = False, refused: bool = False) -> str:
    """An access token with life left in it, renewed where needed.

    ``renew`` asks for a new one whatever its age, ``refused`` because the provider no longer takes the one we have; a
    key that lasts is the only one. Raises :class:`ProviderError`; the failure is recorded as a proof before.
    """
    began = clock.now()
    token = Token.objects.filter(pk=connection.pk).first()
    if token is None:
        raise ProviderError("disconnected", "")
    lasts = token.due_at is None  # there is no other one
    if refused and not lasts:
        # Until it is renewed nothing goes on with it, whatever its age.
        Token.objects.filter(pk=token.pk, version=token.version).update(access_expires_at=began)
    if lasts or (not (renew or refused) and token.access_expires_at - began > MARGIN):
        with suppress(ProviderError):  # unreadable: the renewal says so, where it cannot help
            return opened(token.access, f"token.access:{connection.pk}")
    if not installation.may_act():
        raise ProviderError("not_adopted", "")
    return renewal.on_demand(connection, token.version, trigger=trigger, began=began)


def secret_to_revoke(token: Token) -> str | None:
    """The refresh token, or where there is none the access token; None where it cannot be read."""
    kind, sealed = ("refresh", token.refresh) if token.refresh else ("access", token.access)
    try:
        return open_sealed(sealed, place=f"token.{kind}:{token.pk}")
    except SecretUnreadable:
        return None
