"""A client that the operator stored: kept encrypted, asked about before it replaces one, and never shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests import rows
from tests.sandbox_process import Sandbox, running_sandbox

from truesend import clock
from truesend.connections import clients as ours
from truesend.connections.client_troubles import troubles
from truesend.connections.models import ClientCheck, Consent, LedgerKind, ProviderClient
from truesend.connections.proofs import record
from truesend.organizations.models import User
from truesend.providers import clients, http, registry, sandboxed
from truesend.providers.contract import Evidence
from truesend.providers.errors import ProviderError

pytestmark = pytest.mark.django_db(transaction=True)

ID, SECRET = "sandbox-google-client", "sandbox-google-secret"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A provider at hand, and no client in the environment."""
    with running_sandbox(tmp_path / "sandbox") as running:
        for name, value in sandboxed.settings(running.url).items():
            if "_CLIENT_" not in name:
                monkeypatch.setenv(f"TRUESEND_{name}", value)
        clients.forget()
        with http.quiet_pools():
            yield running
        clients.forget()


@pytest.fixture
def oda() -> User:
    return User.objects.create_user("oda@operators.example", is_operator=True)


def save(oda: User, secret: str = SECRET, client_id: str = ID, version: int = 0, **more: bool) -> Evidence:
    made = ours.set_up(oda, "google", client_id=client_id, secret=secret, extra={}, version=version, **more)
    return made.evidence


def raw_row() -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM connections_providerclient c")
        return str(cursor.fetchone()[0]).encode()


def test_it_is_asked_about_stored_and_used(sandbox: Sandbox, oda: User) -> None:
    assert not registry.provider("google").is_configured()
    assert save(oda).ok
    assert registry.provider("google").is_configured()
    known = ours.known("google")
    assert known.client is not None
    assert (known.client.secret, known.client.source) == (SECRET, "stored")
    assert known.check is not None
    assert known.check.ok
    assert known.row is not None
    assert known.row.changed_by == oda
    assert SECRET.encode() not in raw_row()
    assert SECRET.encode().hex().encode() not in raw_row()
    with pytest.raises(ProviderError) as caught:
        registry.provider("google").refresh("1//nothing")
    assert caught.value.cause == "grant_rejected"  # the client was taken


def test_what_the_provider_refuses_replaces_nothing(sandbox: Sandbox, oda: User) -> None:
    with pytest.raises(ours.Refused) as first:
        save(oda, "wrong")
    assert first.value.evidence.cause == "client_secret_wrong"
    assert not ProviderClient.objects.exists()
    save(oda)
    with pytest.raises(ours.Refused) as caught:
        save(oda, "wrong", version=1)
    assert caught.value.evidence.cause == "client_secret_wrong"
    assert ours.known("google").client is not None
    assert clients.require("google").secret == SECRET
    with pytest.raises(ours.Refused) as unknown:
        save(oda, client_id="nobody")
    assert unknown.value.evidence.cause == "client_unknown"


def test_unless_the_operator_says_so(sandbox: Sandbox, oda: User) -> None:
    assert not save(oda, "wrong", although_refused=True).ok
    assert [one.cause for one in troubles()] == ["client_secret_wrong"]
    assert save(oda, version=1).ok
    assert troubles() == []


def test_an_outage_stops_nobody(sandbox: Sandbox, oda: User) -> None:
    sandbox.fault("token", "outage")
    assert save(oda).cause == "provider_error"
    assert registry.provider("google").is_configured()
    assert troubles() == []


def test_without_a_secret_the_stored_one_stays(sandbox: Sandbox, oda: User) -> None:
    save(oda)
    row = ProviderClient.objects.get()
    assert save(oda, "", version=1).ok
    after = ProviderClient.objects.get()
    assert after.secret_set_at == row.secret_set_at
    assert clients.require("google").secret == SECRET
    with pytest.raises(ours.NotSaved, match="Another client has another secret") as caught:
        save(oda, "", "another-client", version=2)
    assert caught.value.field == "secret"


@pytest.mark.parametrize(
    ("client_id", "secret", "field"),
    [
        ("", SECRET, "id"),
        ("two words", SECRET, "id"),
        ("ünusual", SECRET, "id"),
        ("x" * 301, SECRET, "id"),
        (ID, "", "secret"),
        (ID, "two words", "secret"),
        (ID, "nul\0", "secret"),
        (ID, "x" * 1001, "secret"),
    ],
)
def test_what_cannot_be_one(sandbox: Sandbox, oda: User, client_id: str, secret: str, field: str) -> None:
    with pytest.raises(ours.NotSaved) as caught:
        save(oda, secret, client_id)
    assert caught.value.field == field
    assert not ProviderClient.objects.exists()
    assert sandbox.calls() == []


def test_of_two_operators_the_second_looks_again(sandbox: Sandbox, oda: User) -> None:
    save(oda)
    for behind in (0, 2):
        with pytest.raises(ours.NotSaved, match="Somebody else has changed this meanwhile"):
            save(oda, version=behind)
    assert ProviderClient.objects.get().version == 1


def test_the_environment_wins(sandbox: Sandbox, oda: User, monkeypatch: pytest.MonkeyPatch) -> None:
    save(oda)
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_ID", ID)
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "wrong")
    with pytest.raises(ours.NotSaved, match="environment"):
        save(oda, version=1)
    assert ours.known("google").check is None  # the good answer was about another secret
    answer = ours.check("google")
    assert answer is not None
    assert answer.cause == "client_secret_wrong"
    assert [one.cause for one in troubles()] == ["client_secret_wrong"]


def test_another_client_ends_the_permissions_given_to_this_one(sandbox: Sandbox, oda: User) -> None:
    save(oda)
    sandbox.control(
        "POST",
        "clients",
        {"provider": "google", "client_id": "second", "secret": "second-secret", "redirect_uris": []},
    )
    rows.mailbox(rows.member())
    with pytest.raises(ours.OtherClient) as caught:
        save(oda, "second-secret", "second", version=1)
    assert caught.value.count == 1
    assert clients.require("google").id == ID
    assert save(oda, "second-secret", "second", version=1, although_other=True).ok
    assert clients.require("google").id == "second"


def test_a_key_that_is_gone(sandbox: Sandbox, oda: User, monkeypatch: pytest.MonkeyPatch) -> None:
    save(oda)
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", f"other:{'A' * 43}=")
    known = ours.known("google")
    assert (known.client, known.unreadable) == (None, True)
    assert [one.cause for one in troubles()] == ["client_unreadable"]
    with pytest.raises(ours.NotSaved, match="can no longer be read"):
        save(oda, "", version=1)
    assert save(oda, version=1).ok
    assert clients.require("google").secret == SECRET


def test_what_a_connection_meets_is_trouble_until_something_works(sandbox: Sandbox, oda: User) -> None:
    save(oda)
    mailbox = rows.mailbox(rows.member())
    assert troubles() == []

    def met(evidence: Evidence) -> None:
        record(mailbox, [evidence], kind=LedgerKind.REFRESH, trigger="schedule")

    met(Evidence("grant", False, "token.refresh", "client_secret_wrong", "invalid_client: Unauthorized"))
    (trouble,) = troubles()
    assert (trouble.provider, trouble.cause) == ("google", "client_secret_wrong")
    assert trouble.words == "invalid_client: Unauthorized"
    assert ours.check("google") is not None  # the provider takes it again
    assert troubles() == []
    met(Evidence("grant", False, "token.refresh", "client_secret_wrong", "invalid_client: Unauthorized"))
    assert len(troubles()) == 1
    met(Evidence("grant", True, "token.refresh"))
    assert troubles() == []


def test_an_address_that_changes_makes_the_answer_an_old_one(
    sandbox: Sandbox, oda: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(oda)
    since = ClientCheck.objects.get().since
    ours.check("google")
    assert ClientCheck.objects.get().since == since
    monkeypatch.setenv("TRUESEND_PUBLIC_URL", "https://truesend.example")
    assert ours.known("google").check is None
    ours.check("google")
    assert ClientCheck.objects.get().since > since


@pytest.mark.parametrize("before", [True, False])
def test_who_came_back_before_anybody_asked(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """The first look at a client is no change of it; another secret later is one."""
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_ID", "sandbox-google-client")
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "sandbox-google-secret")
    then = clock.now() - timedelta(days=3)
    Consent.objects.create(
        state_digest=b"a" * 32, session_digest=b"s" * 32, member=rows.member(), provider="google",
        kind="personal", capabilities=["send"], verifier=b"", nonce="n", next_path="/", started_at=then,
        returned_at=then,
    )  # fmt: skip
    if before:
        assert ours.known("google").returned_at == then
    ours.check("google")
    assert ours.known("google").returned_at == then
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "another")
    assert ours.known("google").returned_at is None
    ours.check("google")
    assert ours.known("google").returned_at is None


def test_removed(sandbox: Sandbox, oda: User) -> None:
    save(oda)
    assert ours.remove(oda, "google")
    assert not ours.remove(oda, "google")
    assert not registry.provider("google").is_configured()
