"""Verify now: ask the provider for what can be proved without sending."""

from __future__ import annotations

from truesend import clock
from truesend.connections import proofs, tokens
from truesend.connections.models import Connection, LedgerKind
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.providers.errors import ProviderError


def verify(connection: Connection, *, trigger: str) -> None:
    """Probe the asked capabilities and record what the answers prove. Failures are recorded, not raised."""
    if connection.disconnected_at is not None:
        return
    adapter = registry.provider(connection.provider)
    asked = [Capability(name) for name in connection.asked]
    usable = [one for one in asked if one in adapter.granted(connection.granted_scopes)]
    began = clock.now()
    try:
        evidence = adapter.probe(tokens.access_token(connection, trigger=trigger), usable)
        if any(one.cause == "access_refused" for one in evidence):
            # The provider may have ended this access token early: a new one decides.
            began = clock.now()
            evidence = adapter.probe(tokens.access_token(connection, trigger=trigger, renew=True), usable)
    except ProviderError:
        return  # the failed renewal is in the proofs already
    # Dated by the question: an answer to the old grant says nothing of the one that a consent brought meanwhile.
    proofs.record(connection, evidence, kind=LedgerKind.PROBE, trigger=trigger, at=began)
