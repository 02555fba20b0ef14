"""A renewal whose answer the database does not take: nothing is lost."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import psycopg
import pytest
import requests
from django.db import Error as DatabaseUnable
from django.db import close_old_connections, connection, transaction
from tests import rows
from tests.sandbox_process import Sandbox, running_sandbox

from truesend import clock, env
from truesend.connections import proofs, rescue, tokens
from truesend.connections.describe import describe
from truesend.connections.models import Connection, LedgerKind, Token
from truesend.connections.secretbox import open_sealed
from truesend.providers import http, registry, sandboxed
from truesend.providers.contract import Evidence, Grant
from truesend.providers.errors import ProviderError
from truesend.providers.google import oauth


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path / "sandbox") as running:
        for name, value in sandboxed.settings(running.url).items():
            monkeypatch.setenv(f"TRUESEND_{name}", value)
        monkeypatch.setenv("TRUESEND_DATA_DIR", str(tmp_path))
        with http.quiet_pools():
            yield running


def consented(sandbox: Sandbox, address: str = "ana@northwind.example") -> Grant:
    """A grant by the real consent, without our pages around it."""
    sandbox.account(address)
    sandbox.consent(address)
    back = f"http://localhost:{sandbox.url.rpartition(':')[2]}/oauth/google/callback"
    page = oauth.authorize_url(
        capabilities=["send"],  # type: ignore[list-item]
        redirect_uri=back,
        state="state",
        nonce="nonce",
        verifier="v" * 64,
        account=None,
    )
    answer = requests.get(page, allow_redirects=False, timeout=10)
    code = unquote(answer.headers["Location"].partition("code=")[2].partition("&")[0])
    return oauth.exchange(code=code, redirect_uri=back, verifier="v" * 64, nonce="nonce")


@pytest.fixture
def stored(sandbox: Sandbox, transactional_db: None) -> Connection:
    grant = consented(sandbox)
    assert grant.identity is not None
    now = clock.now()
    made = rows.mailbox(
        rows.member(),
        subject=grant.identity.subject,
        address=grant.identity.address,
        granted_scopes=sorted(grant.scopes),
        consented_at=now,
    )
    with transaction.atomic():
        tokens.replace(made, grant, now)
    proofs.record(made, [Evidence("grant", True, "token.code")], kind=LedgerKind.CONSENT, trigger="test")
    return made


def refresh_calls(sandbox: Sandbox) -> int:
    return len(sandbox.calls(operation="token.refresh"))


def renew_while_the_database_fails(sandbox: Sandbox, stored: Connection) -> None:
    """The backend is ended after the provider was asked and before the answer can be committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    sandbox.fault("token.refresh", "slow", ms=700, when="after", times=1)
    before = refresh_calls(sandbox)

    def kill() -> None:
        while refresh_calls(sandbox) == before:
            time.sleep(0.02)
        with psycopg.connect(env.database_url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(DatabaseUnable):
        tokens.access_token(stored, trigger="test", renew=True)
    killer.join()
    connection.close()
    close_old_connections()


def test_an_answer_that_cannot_be_committed_is_kept_and_read_back(
    sandbox: Sandbox, stored: Connection
) -> None:
    sandbox.switch(refresh_answers_with_refresh_token=True)
    old = Token.objects.get(pk=stored.pk)
    renew_while_the_database_fails(sandbox, stored)
    kept = env.data_dir() / "rescue" / str(stored.pk)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"ya29" not in kept.read_bytes()
    assert Token.objects.get(pk=stored.pk).version == old.version

    calls = refresh_calls(sandbox)
    access = tokens.access_token(stored, trigger="test", renew=True)
    assert refresh_calls(sandbox) == calls  # read back, not asked again
    assert not kept.exists()
    fresh = Token.objects.get(pk=stored.pk)
    assert fresh.version == old.version + 1
    assert bytes(fresh.refresh or b"") != bytes(old.refresh or b"")
    evidence = registry.provider("google").probe(access, [])
    assert [(one.check, one.ok) for one in evidence] == [("grant", True)]
    assert tokens.access_token(stored, trigger="test") == access


def test_what_was_kept_is_worth_nothing_once_a_consent_replaced_it(
    sandbox: Sandbox, stored: Connection
) -> None:
    renew_while_the_database_fails(sandbox, stored)
    assert rescue.read(stored.pk, Token.objects.get(pk=stored.pk).version) is not None
    grant = consented(sandbox)
    tokens_before = refresh_calls(sandbox)
    with transaction.atomic():
        tokens.replace(stored, grant, clock.now())
    assert rescue.read(stored.pk, Token.objects.get(pk=stored.pk).version) is None
    assert tokens.access_token(stored, trigger="test") == grant.access_token
    assert tokens.access_token(stored, trigger="test", renew=True) != grant.access_token
    assert refresh_calls(sandbox) == tokens_before + 1


def test_a_kept_answer_of_another_connection_or_a_damaged_one_is_not_read(
    tmp_path: Path, stored: Connection
) -> None:
    other = uuid4()
    rescue.keep(stored.pk, 1, Grant("a", 3600, "r", frozenset()), clock.now())
    folder = env.data_dir() / "rescue"
    (folder / str(other)).write_bytes((folder / str(stored.pk)).read_bytes())
    assert rescue.read(other, 1) is None
    (folder / str(stored.pk)).write_bytes(b"\x03abc")
    assert rescue.read(stored.pk, 1) is None
    rescue.forget(stored.pk)
    rescue.forget(stored.pk)


def test_the_refresh_token_before_is_tried_when_the_newest_is_dead(
    sandbox: Sandbox, stored: Connection
) -> None:
    first = Token.objects.get(pk=stored.pk)
    broken = Grant("ya29.x", 3600, "1//never-issued", frozenset(stored.granted_scopes))
    with transaction.atomic():
        tokens.replace(stored, broken, clock.now())
    assert tokens.access_token(stored, trigger="test", renew=True)
    now = Token.objects.get(pk=stored.pk)
    assert (now.previous_refresh, now.dead_at) == (None, None)
    assert now.refresh is not None
    assert first.refresh is not None
    place = f"token.refresh:{stored.pk}"
    assert open_sealed(now.refresh, place=place) == open_sealed(first.refresh, place=place)


def test_a_key_that_is_gone_is_said_so(
    sandbox: Sandbox, stored: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", f"new:{base64.b64encode(os.urandom(32)).decode()}")
    with pytest.raises(ProviderError) as caught:
        tokens.access_token(stored, trigger="test")
    assert caught.value.cause == "secret_unreadable"
    assert describe(Connection.objects.get(pk=stored.pk)).verdict.cause == "secret_unreadable"
