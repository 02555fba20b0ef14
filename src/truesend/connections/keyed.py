"""Connecting an organization's own account by a key that was made in the provider's settings, instead of a consent.

It belongs to the organization: the key is everybody's there, and no member's consent stands behind it.
"""

from __future__ import annotations

from django.db import DatabaseError

from truesend.connections import proofs, storing
from truesend.connections.models import Connection, Kind, LedgerKind
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.errors import ProviderError
from truesend.providers.http import redact

# Behind the proofs that a key brought.
CALL = "key"


class NotConnected(Exception):
    """The key came to nothing, for a cause; nothing was connected or changed. ``words`` are the provider's own."""

    def __init__(self, cause: str, words: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.words = words


def connect(member: Member, provider: str, key: str, connection: Connection | None = None) -> Connection:
    """Check a pasted key and store it; with ``connection`` it replaces the grant of that one.

    The caller has seen that the member may. Raises :class:`NotConnected`.
    """
    adapter = registry.provider(provider)
    try:
        grant = adapter.key_grant(key)
        if grant.identity is None:
            raise ProviderError("identity_unverified", "")
        if connection is not None and connection.subject != grant.identity.subject:
            raise ProviderError("other_account", "")
    except ProviderError as problem:
        raise _refused(member, connection, problem.cause, problem.words) from None
    given = storing.Given(
        member=member,
        provider=provider,
        kind=Kind.ORGANIZATION,
        capabilities=[str(one) for one in adapter.capabilities],
        connection=connection,
        grant=grant,
        identity=grant.identity,
        call=CALL,
    )
    try:
        return storing.stored(given)
    except DatabaseError:
        raise _refused(member, connection, "storage_failed", "") from None


def _refused(member: Member, connection: Connection | None, cause: str, words: str) -> NotConnected:
    said = redact(words)
    if connection is not None:
        trigger = member.user.email
        proofs.note(connection, LedgerKind.CONSENT, trigger=trigger, result=cause, words=said)
    return NotConnected(cause, said)
