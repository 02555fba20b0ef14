"""Providers that refuse this installation's own client: what only its operator can repair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from truesend.connections.clients import REFUSED, fingerprint
from truesend.connections.models import ClientCheck, Proof, ProviderClient
from truesend.providers import clients, registry


@dataclass(frozen=True)
class Trouble:
    """A provider that refuses this installation's client."""

    provider: str
    cause: str
    words: str
    at: datetime


def troubles() -> list[Trouble]:
    """Providers that refuse the client in use, by the last check or by what connections met since; newest first."""
    checks = {one.provider: one for one in ClientCheck.objects.all()}
    bad = Proof.objects.filter(ok=False, cause__in=REFUSED, connection__disconnected_at=None)
    newest = bad.order_by("connection__provider", "-at").distinct("connection__provider")
    met = {one.connection.provider: one for one in newest.select_related("connection")}
    found = [
        one for key in registry.PROVIDERS if (one := _trouble(key, checks.get(key), met.get(key))) is not None
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _trouble(provider: str, check: ClientCheck | None, met: Proof | None) -> Trouble | None:
    client = clients.client(provider)
    if client is None:
        if any(clients.from_environment(provider)):
            return None
        row = ProviderClient.objects.filter(pk=provider).first()
        return Trouble(provider, "client_unreadable", "", row.changed_at) if row is not None else None
    if check is not None and bytes(check.fingerprint) != fingerprint(provider, client):
        check = None  # it spoke of another client
    if met is not None and (check is None or met.at > check.at):
        return None if _worked_since(provider, met.at) else Trouble(provider, met.cause, met.words, met.at)
    if check is not None and check.cause in REFUSED and not _worked_since(provider, check.at):
        return Trouble(provider, check.cause, check.words, check.at)
    return None


def _worked_since(provider: str, at: datetime) -> bool:
    """A renewal or a consent went through: both need the client."""
    good = Proof.objects.filter(ok=True, check_name="grant", connection__provider=provider, at__gt=at)
    return good.filter(call__in=("token.refresh", "token.code")).exists()
