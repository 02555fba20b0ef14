"""Storing what a consent, or a key, gave: whole or not at all. The old grant is replaced first, then forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError, IntegrityError, transaction

from truesend import clock
from truesend.connections import probe, proofs, tokens
from truesend.connections.models import Connection, Kind, LedgerKind
from truesend.organizations import audit, presence
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability, Evidence, Grant, Identity, Provider


@dataclass(frozen=True)
class Given:
    """A grant on its way into the rows: who got it, for what, and by which call it came.

    ``connection`` is the one whose grant it replaces, where that is known; else the account's own row is looked for.
    """

    member: Member
    provider: str
    kind: Kind
    capabilities: Sequence[str]
    connection: Connection | None
    grant: Grant
    identity: Identity
    call: str
    # A send with it was accepted already.
    proved: bool = False


class OutOfTheTeam(DatabaseError):
    """Whoever gave the permission was removed or deactivated before it could be stored."""


def stored(given: Given) -> Connection:
    """Store it; of two for one new account that come at the same time the second finds the first's row."""
    try:
        with transaction.atomic():
            return _store(given)
    except IntegrityError:
        with transaction.atomic():
            return _store(given)


def _store(given: Given) -> Connection:
    now, adapter = clock.now(), registry.provider(given.provider)
    grant, identity = given.grant, given.identity
    connection = given.connection or _existing(given)
    done = "connected"
    if connection is None:
        connection = Connection.objects.create(
            organization=given.member.organization,
            member=given.member,
            provider=given.provider,
            kind=given.kind,
            subject=identity.subject,
            address=identity.address,
            display_name=identity.name[:200],
            asked=list(given.capabilities),
            granted_scopes=sorted(grant.scopes),
            consented_at=now,
        )
    else:
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        if connection.disconnected_at is None:
            done = "reset" if given.proved else "connected_again"
        connection.address = identity.address
        connection.display_name = identity.name[:200]
        connection.asked = _still_asked(connection, given, adapter)
        connection.granted_scopes = sorted(grant.scopes)
        connection.consented_at = now
        if connection.disconnected_at is not None:
            connection.back_at, connection.disconnected_at = now, None
        connection.save(
            update_fields=[
                "address",
                "display_name",
                "asked",
                "granted_scopes",
                "consented_at",
                "back_at",
                "disconnected_at",
            ]
        )
    tokens.replace(connection, grant, now)
    probe.plan(connection, now)
    proofs.record(
        connection,
        _proved(given, adapter),
        kind=LedgerKind.CONSENT,
        trigger=given.member.user.email,
        at=now,
    )
    if given.proved:
        sent, who = [Evidence("send", True, "send")], given.member.user.email
        proofs.record(connection, sent, kind=LedgerKind.SEND, trigger=who, at=now)
    # Last, as whoever removes them holds the keys first and then their place.
    if not presence.hold(given.member.pk):
        raise OutOfTheTeam
    audit.record(
        connection.organization_id,
        given.member,
        f"connection.{done}",
        about=connection.address,
        words=f"{adapter.name}, {'shared' if connection.kind == Kind.ORGANIZATION else 'personal'}",
        ref=str(connection.pk),
    )
    return connection


def _proved(given: Given, adapter: Provider) -> list[Evidence]:
    allowed = adapter.granted(given.grant.scopes)
    missing = [name for name in given.capabilities if Capability(name) not in allowed]
    # What lasts is never renewed.
    renews = [] if given.grant.lasting else [Evidence("renew", True, given.call)]
    return [
        Evidence("grant", True, given.call),
        *renews,
        Evidence(
            "scope",
            not missing,
            given.call,
            "scope_missing" if missing else "",
            f"Not granted: {', '.join(missing)}" if missing else "",
        ),
    ]


def _still_asked(connection: Connection, given: Given, adapter: Provider) -> list[str]:
    """What was asked for now, and what an earlier consent had that is still granted."""
    kept = set() if connection.disconnected_at else set(connection.asked)
    kept &= {str(one) for one in adapter.granted(given.grant.scopes)}
    wanted = kept | set(given.capabilities)
    return [str(one) for one in adapter.capabilities if one in wanted]


def _existing(given: Given) -> Connection | None:
    """The connection of the same account in the same place, also a disconnected one: its history goes on."""
    same = Connection.objects.filter(
        organization=given.member.organization,
        provider=given.provider,
        kind=given.kind,
        subject=given.identity.subject,
    )
    if given.kind == Kind.PERSONAL:
        same = same.filter(member=given.member)
    return same.first()
