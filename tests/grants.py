"""Grants as each provider of the sandbox gives them, stored as a consent stores them, without our pages around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from tests import rows
from tests.sandbox.google_client import GoogleClient
from tests.sandbox.keap_client import KeapClient
from tests.sandbox.microsoft_client import MicrosoftClient
from tests.sandbox_process import Sandbox, running_sandbox

from truesend import clock
from truesend.connections import outages, proofs, renewal, tokens
from truesend.connections.describe import describe
from truesend.connections.models import Connection, LedgerKind, Token
from truesend.organizations.models import Member
from truesend.providers import http, registry, sandboxed, token_answer
from truesend.providers.contract import Evidence, Grant

CLIENTS: dict[str, Any] = {"google": GoogleClient, "microsoft": MicrosoftClient, "keap": KeapClient}


@contextmanager
def sandbox_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that this process's providers and clock point at."""
    clock_file = folder / "clock"
    monkeypatch.setenv("TRUESEND_DATA_DIR", str(folder))
    monkeypatch.setenv("TRUESEND_CLOCK_FILE", str(clock_file))
    with running_sandbox(folder / "sandbox", clock_file=clock_file) as running:
        for name, value in sandboxed.settings(running.url).items():
            monkeypatch.setenv(f"TRUESEND_{name}", value)
        monkeypatch.setattr(clock, "_shared", clock._SharedOffset())
        with http.quiet_pools():
            yield running


def given(sandbox: Sandbox, provider: str, address: str, **account: Any) -> Grant:
    """A consent of an account that is made here: the permission to send."""
    sandbox.account(address, provider, **account)
    return token_answer.grant(CLIENTS[provider](sandbox).connect(address).body)


def connected(
    sandbox: Sandbox, provider: str, owner: Member, address: str = "", **account: Any
) -> Connection:
    """A connection with such a grant."""
    address = address or f"{uuid4().hex[:12]}@northwind.example"
    grant = given(sandbox, provider, address, **account)
    made = rows.mailbox(
        owner,
        provider=provider,
        address=address,
        granted_scopes=sorted(grant.scopes),
        consented_at=clock.now(),
    )
    with transaction.atomic():
        tokens.replace(made, grant, clock.now())
    proofs.record(made, [Evidence("grant", True, "token.code")], kind=LedgerKind.CONSENT, trigger="test")
    return made


def token(one: Connection) -> Token:
    """Its row as it stands."""
    return Token.objects.get(pk=one.pk)


def renewals(sandbox: Sandbox, provider: str = "keap") -> int:
    """Calls of its token endpoint with a refresh token."""
    return len(sandbox.calls(operation="token.refresh", provider=provider))


def works(one: Connection, access: str) -> bool:
    """Whether the provider takes it."""
    return all(found.ok for found in registry.provider(one.provider).probe(access, []))


def make_due(*ones: Connection) -> None:
    """For a renewal, now."""
    Token.objects.filter(pk__in=[one.pk for one in ones]).update(due_at=clock.now())


def renew_all(provider: str) -> int:
    """What a worker's threads do in one round: how many were tried."""
    count = 0
    while outages.may_ask(provider) and renewal.next_due(provider):
        count += 1
    return count


def told(one: Connection) -> tuple[str, str]:
    """(cause, words) of the connection as it is shown."""
    shown = describe(Connection.objects.get(pk=one.pk)).verdict
    return shown.cause, shown.proof.words if shown.proof is not None else ""
