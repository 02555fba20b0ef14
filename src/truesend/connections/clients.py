"""This installation's own clients: storing them, asking the provider about them, and what is known of each.

The adapters take them from :mod:`truesend.providers.clients`, which asks :func:`stored` for what is kept here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from truesend import clock, env
from truesend.connections import outages
from truesend.connections.causes import CAUSES
from truesend.connections.models import ClientCheck, Connection, Consent, ProviderClient
from truesend.connections.return_address import redirect_uri
from truesend.connections.secretbox import SecretUnreadable, open_sealed, seal
from truesend.organizations import audit
from truesend.organizations.models import User
from truesend.providers import clients, registry
from truesend.providers.clients import Client, Stored
from truesend.providers.contract import Evidence

log = logging.getLogger("truesend.connections")

# What a provider says of the client itself; every connection there is hit by it.
REFUSED = frozenset(one.code for one in CAUSES.values() if one.of_the_client) - {"client_missing"}
_VISIBLE = re.compile(r"[!-~]+")
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_ID, _LONGEST_SECRET = 300, 1000


class NotSaved(Exception):
    """Nothing was stored, for a reason in words. ``field``: what is to be corrected (``id``, ``secret``, an extra)."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class Refused(NotSaved):
    """The provider refuses what was to be stored; what was in use before still is."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(evidence.cause)
        self.evidence = evidence


class OtherClient(NotSaved):
    """Another client would take the place of one that people gave their permission to; ``count`` of connections."""

    def __init__(self, count: int) -> None:
        super().__init__("")
        self.count = count


@dataclass(frozen=True)
class Answer:
    """What a provider says of a client, and whether it knows our return address (None: it does not say)."""

    evidence: Evidence
    address_known: bool | None = None

    @property
    def cause(self) -> str:
        """The first thing that is wrong; empty where nothing is."""
        if not self.evidence.ok:
            return self.evidence.cause
        return "redirect_mismatch" if self.address_known is False else ""


@dataclass(frozen=True)
class Known:
    """What is known of the client at one provider."""

    provider: str
    client: Client | None
    # Stored values, also where the environment wins over them.
    row: ProviderClient | None
    unreadable: bool
    # The last answer about exactly this client and return address.
    check: ClientCheck | None
    # A consent came back with a code that was taken, by this client and to this address.
    returned_at: datetime | None


def stored() -> dict[str, Stored]:
    """Everything stored, opened. Registered with :mod:`truesend.providers.clients` when Django starts."""
    return {
        row.provider: Stored(row.client_id, _opened(row), row.extra) for row in ProviderClient.objects.all()
    }


def _place(provider: str) -> str:
    return f"client.secret:{provider}"


def _opened(row: ProviderClient) -> str | None:
    try:
        return open_sealed(row.secret, place=_place(row.provider))
    except SecretUnreadable:
        return None


def known(provider: str) -> Known:
    """What is known now, straight from the database."""
    clients.forget()
    client = clients.client(provider)
    row = ProviderClient.objects.select_related("changed_by").filter(pk=provider).first()
    check = None
    if client is not None:
        check = ClientCheck.objects.filter(pk=provider, fingerprint=fingerprint(provider, client)).first()
    return Known(
        provider,
        client,
        row,
        row is not None and _opened(row) is None,
        check,
        _returned(provider, client, row, check),
    )


def _returned(
    provider: str, client: Client | None, row: ProviderClient | None, check: ClientCheck | None
) -> datetime | None:
    """When somebody last came back, of the consents since the client last changed."""
    if check is not None:
        since = check.since
    elif client is None or ClientCheck.objects.filter(pk=provider).exists():
        return None  # it has changed since anybody looked, and nobody knows when
    else:
        since = _first_since(client, row)
    back = Consent.objects.filter(provider=provider, cause="", returned_at__gte=since)
    return back.order_by("-returned_at").values_list("returned_at", flat=True).first()


def _first_since(client: Client, row: ProviderClient | None) -> datetime:
    """Since when a client that nobody has asked about is in use: always, as far as is known, if not stored here."""
    stored_here = row is not None and client.source != "environment"
    return row.changed_at if stored_here and row is not None else _ALWAYS


def set_up(
    operator: User,
    provider: str,
    *,
    client_id: str,
    secret: str,
    extra: Mapping[str, str],
    version: int,
    although_refused: bool = False,
    although_other: bool = False,
) -> Answer:
    """Ask the provider about a client, then store it; what the provider said.

    An empty ``secret`` keeps the stored one. ``version`` is that of the row the operator saw, 0 for none. What the
    provider refuses is not stored, since the one before may still work, unless the operator says so. An answer that
    proves nothing, such as an outage, stops nobody. Raises :class:`NotSaved`, also its kinds :class:`Refused` and
    :class:`OtherClient`.
    """
    row = ProviderClient.objects.filter(pk=provider).first()
    client = _checked(provider, row, client_id.strip(), secret.strip(), extra)
    if (
        row is not None
        and row.client_id != client.id
        and not although_other
        and (count := connected(provider))
    ):
        raise OtherClient(count)
    answer = _ask(provider, client)
    if answer.cause in REFUSED and not although_refused:
        raise Refused(answer.evidence)
    now = clock.now()
    fields = {
        "client_id": client.id,
        "extra": dict(client.extra),
        "changed_at": now,
        "changed_by": operator,
    }
    if secret.strip() or row is None:
        fields |= {"secret": seal(client.secret, place=_place(provider)), "secret_set_at": now}
    with transaction.atomic():
        _store(provider, fields, version)
        _note(provider, client, answer, now)
        outages.lift(provider)
        audit.record_of(operator, "installation.provider_set", about=registry.provider(provider).name)
    clients.forget()
    log.info("The client at %s was set by %s.", provider, operator.email)
    return answer


def _store(provider: str, fields: Mapping[str, object], version: int) -> None:
    behind = NotSaved("Somebody else has changed this meanwhile. Look at what is there now, then save again.")
    if version:
        seen = ProviderClient.objects.filter(pk=provider, version=version)
        if seen.update(version=version + 1, **fields) != 1:
            raise behind
        return
    try:
        with transaction.atomic():
            ProviderClient.objects.create(provider=provider, **fields)
    except IntegrityError:
        raise behind from None


def _checked(
    provider: str, row: ProviderClient | None, client_id: str, secret: str, extra: Mapping[str, str]
) -> Client:
    """The client as typed, or :class:`NotSaved`."""
    setup = registry.provider(provider).setup
    id_label, secret_label = setup.labels
    if any(clients.from_environment(provider)):
        raise NotSaved("The environment names this client, and it wins: change it there.")
    if not _VISIBLE.fullmatch(client_id) or len(client_id) > _LONGEST_ID:
        raise NotSaved(f"Paste the {id_label} as a whole: it has no spaces.", "id")
    if not secret and row is None:
        raise NotSaved(f"Paste the {secret_label} too.", "secret")
    if secret and (not _VISIBLE.fullmatch(secret) or len(secret) > _LONGEST_SECRET):
        raise NotSaved(f"Paste the {secret_label} as a whole: it has no spaces.", "secret")
    if not secret and row is not None:
        kept = _opened(row)
        if kept is None:
            raise NotSaved("The stored secret can no longer be read: paste it again.", "secret")
        if row.client_id != client_id:
            raise NotSaved(f"Another client has another secret: paste its {secret_label} too.", "secret")
        secret = kept
    typed = {
        # The environment's wins over what is typed, as it will when the client is used.
        one.name: env.given(f"{provider.upper()}_{one.name}") or extra.get(one.name, "").strip()
        for one in setup.extras
    }
    for one in setup.extras:
        if typed[one.name] and not re.fullmatch(one.pattern, typed[one.name]):
            raise NotSaved(f"{one.label} must be {one.shape}.", one.name)
    return Client(client_id, secret, "tried", {name: value for name, value in typed.items() if value})


def check(provider: str) -> Answer | None:
    """Ask the provider about the client in use and keep its answer; None where there is none."""
    client = clients.client(provider)
    if client is None:
        return None
    answer = _ask(provider, client)
    _note(provider, client, answer, clock.now())
    return answer


def _ask(provider: str, client: Client) -> Answer:
    adapter, address = registry.provider(provider), redirect_uri(provider)
    with clients.trying(provider, client):  # the same one throughout
        evidence = adapter.check_client(address)
        known = adapter.check_redirect(address) if evidence.ok else None
    return Answer(evidence, known.ok if known is not None else None)


def _note(provider: str, client: Client, answer: Answer, now: datetime) -> None:
    found = {
        "fingerprint": fingerprint(provider, client),
        "at": now,
        "ok": answer.evidence.ok,
        "cause": answer.evidence.cause,
        "words": answer.evidence.words[:500],
        "address_known": answer.address_known,
    }
    same = ClientCheck.objects.filter(pk=provider, fingerprint=found["fingerprint"])
    if same.update(**found) == 0:
        changed = ClientCheck.objects.filter(pk=provider).exists()
        row = ProviderClient.objects.filter(pk=provider).first()
        since = now if changed else _first_since(client, row)
        ClientCheck.objects.update_or_create(pk=provider, defaults={**found, "since": since})


def fingerprint(provider: str, client: Client) -> bytes:
    """What tells this client and return address from others, and nothing else of them."""
    told = "\0".join(
        [
            provider,
            client.id,
            client.secret,
            redirect_uri(provider),
            *(f"{k}={v}" for k, v in sorted(client.extra.items())),
        ]
    )
    return salted_hmac("truesend.client", told, algorithm="sha256").digest()


def connected(provider: str) -> int:
    """How many connections live by the client in use."""
    return Connection.objects.filter(provider=provider, disconnected_at=None).count()


def remove(operator: User, provider: str) -> bool:
    """Forget what was stored; whether anything was. The environment's client is not touched."""
    with transaction.atomic():
        gone, _ = ProviderClient.objects.filter(pk=provider).delete()
        if gone:
            name = registry.provider(provider).name
            audit.record_of(operator, "installation.provider_removed", about=name)
    clients.forget()
    if gone:
        log.info("The client at %s was removed by %s.", provider, operator.email)
    return gone > 0
