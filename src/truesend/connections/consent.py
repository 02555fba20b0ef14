"""One consent, from the button to the stored grant. Nothing is half-connected: it is stored whole or not at all."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import DatabaseError

from truesend import clock
from truesend.connections import proofs, storing
from truesend.connections.beginning import stopped
from truesend.connections.describe import labelled
from truesend.connections.models import Connection, Consent, Kind, LedgerKind
from truesend.connections.return_address import redirect_uri
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.organizations import rights
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability, Grant, Provider
from truesend.providers.errors import Outcome, ProviderError, SendResult
from truesend.providers.http import redact

# A person may look for a password for a while; the provider's code itself lives about 10 minutes after that.
LIFETIME = timedelta(hours=1)


class StateInvalid(Exception):
    """The state was not started from this session, was used already, or is too old."""


class ConsentFailed(Exception):
    """The consent came back and ends in a cause; nothing was connected or changed."""

    def __init__(self, consent: Consent, cause: str) -> None:
        super().__init__(cause)
        self.consent = consent
        self.cause = cause


@dataclass(frozen=True)
class Finished:
    """A consent that ended well."""

    connection: Connection
    consent: Consent


def start(
    member: Member,
    *,
    session_key: str,
    provider: str,
    kind: Kind,
    capabilities: Iterable[Capability],
    connection: Connection | None,
    next_path: str,
    test_email: bool,
    resets: bool = False,
) -> str:
    """Store a new consent and return the provider's address to send the member to.

    ``resets``: the grant of ``connection`` is replaced only when a send with the new one was accepted.
    """
    adapter = registry.provider(provider)
    state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    asked = _with_earlier(adapter, capabilities, connection)
    consent_id = uuid4()
    Consent.objects.create(
        id=consent_id,
        state_digest=_digest(state),
        session_digest=_digest(session_key),
        member=member,
        connection=connection,
        provider=provider,
        kind=connection.kind if connection else kind,
        capabilities=[str(one) for one in asked],
        verifier=seal(verifier, place=f"consent.verifier:{consent_id}"),
        nonce=nonce,
        next_path=next_path,
        test_email=test_email,
        resets=resets,
        started_at=clock.now(),
    )
    return adapter.authorize_url(
        capabilities=asked,
        redirect_uri=redirect_uri(provider),
        state=state,
        nonce=nonce,
        verifier=verifier,
        account=connection.address if connection else None,
    )


def _with_earlier(
    adapter: Provider, capabilities: Iterable[Capability], connection: Connection | None
) -> list[Capability]:
    """Reconnecting asks for everything the connection had, so that nothing is lost on the way."""
    if adapter.consents_to_all:
        return list(adapter.capabilities)
    wanted = {Capability.SEND, *capabilities}
    if connection is not None:
        wanted |= {Capability(name) for name in connection.asked}
    return [one for one in adapter.capabilities if one in wanted]


def finish(
    member: Member,
    *,
    session_key: str,
    provider: str,
    state: str,
    code: str,
    error: str,
    description: str,
    prove: Callable[[Connection, Grant], SendResult] | None = None,
) -> Finished:
    """Take what the provider sent back. Raises :class:`StateInvalid` or :class:`ConsentFailed`.

    ``prove`` sends with a grant that is not stored yet; it is asked where the consent resets a connection.
    """
    consent = _claim(member, session_key, provider, state)
    if why := rights.connects(member, consent.kind):
        raise _failed(consent, why)
    if why := stopped(member, consent.connection):
        raise _failed(consent, why)
    adapter = registry.provider(provider)
    if error:
        raise _failed(consent, adapter.consent_cause(error, description), redact(f"{error} {description}"))
    if not code:
        raise _failed(consent, "code_missing")
    try:
        verifier = open_sealed(consent.verifier, place=f"consent.verifier:{consent.pk}")
    except SecretUnreadable:
        raise _failed(consent, "state_invalid") from None
    try:
        grant = adapter.exchange(
            code=code, redirect_uri=redirect_uri(provider), verifier=verifier, nonce=consent.nonce
        )
    except ProviderError as problem:
        # A refused code is about this return, not about a grant that lives.
        cause = "code_refused" if problem.cause in {"grant_rejected", "grant_revoked"} else problem.cause
        raise _failed(consent, cause, problem.words) from None
    identity = grant.identity
    if identity is None:
        raise _failed(consent, "identity_unverified")
    if Capability.SEND not in adapter.granted(grant.scopes):
        raise _failed(consent, "nothing_granted")
    if consent.connection is not None and consent.connection.subject != identity.subject:
        raise _failed(
            consent, "other_account", labelled(identity.address, adapter.place_of(identity.subject))
        )
    proved = consent.resets and consent.connection is not None and prove is not None
    if proved and consent.connection is not None and prove is not None:
        result = prove(consent.connection, grant)
        if result.outcome is not Outcome.ACCEPTED:
            raise _failed(consent, result.cause or "provider_garbage", result.words)
    try:
        connection = storing.stored(
            storing.Given(
                member=consent.member,
                provider=consent.provider,
                kind=Kind(consent.kind),
                capabilities=consent.capabilities,
                connection=consent.connection,
                grant=grant,
                identity=identity,
                call="token.code",
                proved=proved,
            )
        )
    except DatabaseError:
        raise _failed(consent, "storage_failed") from None
    # What it led to, for the page the member comes back to.
    Consent.objects.filter(pk=consent.pk).update(connection=connection)
    return Finished(connection, consent)


def _claim(member: Member, session_key: str, provider: str, state: str) -> Consent:
    """The consent this state belongs to, claimed so that a replay finds it taken."""
    now = clock.now()
    mine = Consent.objects.filter(
        state_digest=_digest(state),
        session_digest=_digest(session_key),
        member=member,
        provider=provider,
        returned_at=None,
        started_at__gt=now - LIFETIME,
    )
    if not state or mine.update(returned_at=now) != 1:
        raise StateInvalid
    consent = Consent.objects.select_related("member__user", "connection").get(state_digest=_digest(state))
    # Its secret has served once it is read.
    Consent.objects.filter(pk=consent.pk).update(verifier=b"")
    return consent


def _failed(consent: Consent, cause: str, words: str = "") -> ConsentFailed:
    Consent.objects.filter(pk=consent.pk).update(cause=cause, words=words[:500])
    if consent.connection is not None:
        proofs.note(
            consent.connection,
            LedgerKind.CONSENT,
            trigger=consent.member.user.email,
            result=cause,
            words=words,
        )
    return ConsentFailed(consent, cause)


# Sooner, a person may still be choosing an account.
_LEFT_FOR = timedelta(minutes=3)


def unreturned(member: Member) -> Consent | None:
    """The member's newest consent, where it did not come back: they may be at the provider still."""
    since = clock.now() - LIFETIME
    rows = Consent.objects.select_related("connection").filter(member=member, started_at__gt=since)
    newest = rows.order_by("-started_at").first()
    return newest if newest is not None and newest.returned_at is None else None


def is_astray(consent: Consent) -> bool:
    """Whether its person has been away so long that one of the provider's pages will have led nowhere."""
    return consent.started_at <= clock.now() - _LEFT_FOR


def was_begun_in(consent: Consent, session_key: str) -> bool:
    """Whether this browser went there: whoever looks at a page of ours in it may have come back by hand."""
    return bytes(consent.session_digest) == _digest(session_key)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def parse_connection_id(text: str) -> UUID | None:
    """A UUID out of a query string, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None
