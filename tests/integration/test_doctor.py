"""``truesend doctor``: what it says of an installation that is whole, and of one thing that is wrong at a time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection as django_connection
from tests import rows, up
from tests.mail_server import mail_server
from tests.operators import operator
from tests.parts import another_key
from tests.ports import free_ports
from tests.sandbox_process import Sandbox, running_sandbox
from tests.stack import Stack

from truesend import clock, env
from truesend.connections import clients as ours
from truesend.connections.models import ClientCheck, Consent, ProviderClient
from truesend.connections.secretbox import seal
from truesend.diagnostics import (
    address_checks,
    database_checks,
    folder_checks,
    installation_checks,
    key_checks,
    mail_checks,
    provider_checks,
)
from truesend.diagnostics.findings import Finding, Status
from truesend.organizations import installation, known_keys
from truesend.organizations.models import KnownKey, User
from truesend.providers import clients, http, sandboxed
from truesend.sending import workers

NAMES = [
    "settings", "environment", "data folder", "disk", "database", "migrations", "connections", "encryption keys",
    "link keys", "worker", "installation", "public address", "tracking host", "system mail",
]  # fmt: skip


def doctor(settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        up.command("doctor", *words),
        env=up.environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd="/",
    )


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    assert "Traceback" not in done.stderr, done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] == (done.returncode == 0)
    return {one["check"]: one for one in told["checks"]}


# -- the command --


def test_a_whole_installation(stack: Stack) -> None:
    operator(stack)
    done = stack.up.run("doctor", "--json")
    found = checks(done)
    assert done.returncode == 0, done.stdout
    assert [name for name in found if name in NAMES] == NAMES
    assert {"Google client", "Microsoft client", "Keap client"} <= found.keys()
    assert not any(one["status"] == "wrong" for one in found.values())
    assert found["Google return address"]["status"] == "ok"
    for one in found.values():
        assert one.keys() == {"check", "status", "sentence", "fix"}
        assert one["sentence"].endswith((".", "”."))
        fix = {"words", "command", "settings", "unset", "page", "register"}
        assert one["fix"] is None or one["fix"].keys() == fix
    words = stack.up.run("doctor")
    assert words.returncode == 0
    assert "Nothing is wrong." in words.stdout


def test_it_gives_no_secret_away(stack: Stack) -> None:
    said = stack.up.run("doctor", "--json").stdout + stack.up.run("doctor").stdout
    for name in ("secret_key", "encryption_keys", "link_keys", "postgres_password"):
        assert (stack.up.data / name).read_text().strip().rpartition(":")[2] not in said
    assert "sandbox-google-secret" not in said


def test_nothing_runs(tmp_path: Path) -> None:
    done = doctor({"TRUESEND_DATA_DIR": str(tmp_path)}, "--json")
    found = checks(done)
    assert done.returncode == 1
    assert found["database"]["fix"]["command"] == f"truesend up --data {tmp_path}"
    assert found["worker"]["status"] == found["public address"]["status"] == "unproven"
    assert list(tmp_path.iterdir()) == []  # it looks, and makes nothing


def test_a_database_that_is_down(tmp_path: Path) -> None:
    url = f"postgresql://truesend:s3cret-word@localhost:{free_ports(1)[0]}/truesend"
    done = doctor({"TRUESEND_DATA_DIR": str(tmp_path), "TRUESEND_DATABASE_URL": url}, "--json")
    found = checks(done)
    assert done.returncode == 1
    assert found["database"]["status"] == "wrong"
    assert "does not answer" in found["database"]["sentence"]
    assert "s3cret-word" not in done.stdout
    assert {found[name]["status"] for name in ("migrations", "worker", "installation", "Google client")} == {
        "unproven"
    }


def test_settings_it_cannot_start_with(tmp_path: Path) -> None:
    done = doctor({"TRUESEND_DATA_DIR": str(tmp_path), "TRUESEND_ENVIRONMENT": "prod"}, "--json")
    found = checks(done)
    assert done.returncode == 1
    assert found["settings"]["status"] == "wrong"
    assert found["everything else"]["status"] == "unproven"


# -- single checks, on a real database --


@pytest.fixture
def connection(transactional_db: None) -> Iterator[database_checks.Connection]:
    """To the database of the tests, which is another one than that of the settings."""
    name = django_connection.settings_dict["NAME"]
    with psycopg.connect(env.database_url(), dbname=name, autocommit=True) as opened:
        yield opened


def said(found: Finding, status: Status, words: str) -> Finding:
    assert found.status is status, found
    assert words in found.sentence
    assert (found.fix is None) == (status is Status.OK) or status is Status.UNPROVEN
    return found


def test_the_database_and_its_connections(
    connection: database_checks.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(database_checks.database(connection), Status.OK, "PostgreSQL 18")
    said(database_checks.budget(connection), Status.OK, "and PostgreSQL takes")
    monkeypatch.setenv("TRUESEND_WORKER_CONCURRENCY", "500")
    found = said(database_checks.budget(connection), Status.WRONG, "the last ones are refused")
    assert found.fix is not None
    assert "ALTER SYSTEM SET max_connections" in found.fix.command


def test_a_worker_that_beats_and_one_that_does_not(
    connection: database_checks.Connection, tmp_path: Path
) -> None:
    found = said(database_checks.worker(connection, tmp_path, running=False), Status.WRONG, "No worker runs")
    assert found.fix is not None
    assert found.fix.command == "truesend worker"
    running = said(database_checks.worker(connection, tmp_path, running=True), Status.WRONG, "shows life")
    assert running.fix is not None
    assert "worker.log" in running.fix.words
    workers.beat("one", None)
    said(database_checks.worker(connection, tmp_path, running=False), Status.OK, "One worker works")
    connection.execute("UPDATE sending_worker SET beat_at = now() - interval '1 minute'")
    said(database_checks.worker(connection, tmp_path, running=False), Status.WRONG, "No worker runs")


def stored_secret() -> None:
    sealed = seal("s3cret", place="client.secret:google")
    now = clock.now()
    ProviderClient.objects.create(
        provider="google", client_id="id", secret=sealed, secret_set_at=now, changed_at=now
    )


def test_encryption_keys(
    connection: database_checks.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(key_checks.encryption(connection, tmp_path), Status.OK, "holds no secret yet")
    stored_secret()
    said(key_checks.encryption(connection, tmp_path), Status.OK, "the one secret")
    name = env.encryption_keys()[0][0]
    ring = env.require("ENCRYPTION_KEYS")
    other = another_key()
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", other)
    lost = said(key_checks.encryption(connection, tmp_path), Status.WRONG, f"called {name}")
    assert lost.fix is not None
    assert "Look for it in your backup." in lost.fix.words
    (tmp_path / "encryption_keys").write_text(ring)
    found = key_checks.encryption(connection, tmp_path)
    assert found.fix is not None
    assert found.fix.unset == ("TRUESEND_ENCRYPTION_KEYS",)
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", f"{name}:{other.partition(':')[2]}")
    said(key_checks.encryption(connection, tmp_path), Status.WRONG, "is another one than")
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", f"{other},{ring}")
    said(key_checks.encryption(connection, tmp_path), Status.OK, "the one secret")


def test_keys_of_two_times_that_are_both_needed(
    connection: database_checks.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_secret()
    ring = env.require("ENCRYPTION_KEYS")
    (tmp_path / "encryption_keys").write_text(ring)
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", another_key())
    sealed = seal("s3cret", place="client.secret:keap")
    now = clock.now()
    ProviderClient.objects.create(
        provider="keap", client_id="id", secret=sealed, secret_set_at=now, changed_at=now
    )
    found = said(key_checks.encryption(connection, tmp_path), Status.WRONG, "1 secret in the database cannot")
    assert found.fix is not None
    assert found.fix.unset == ()  # unset, the other one would be lost
    assert "behind those that are there" in found.fix.words


def test_link_keys_that_are_gone(
    connection: database_checks.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_keys.note()
    known_keys.note()
    assert KnownKey.objects.count() == 2
    said(key_checks.links(connection), Status.OK, "every link that was sent")
    name = env.link_keys()[0][0]
    monkeypatch.setenv("TRUESEND_LINK_KEYS", another_key())
    said(key_checks.links(connection), Status.WARNING, f"The link key called {name}")


def test_whose_database_it_is(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    said(installation_checks.installation(), Status.UNPROVEN, "Nobody has used this database yet")
    member = rows.member()
    assert installation.standing().adopted
    no_operator = said(installation_checks.installation(), Status.WRONG, "no operator")
    assert no_operator.fix is not None
    assert no_operator.fix.command.startswith("truesend user create")
    User.objects.filter(pk=member.user_id).update(is_operator=True)
    said(installation_checks.installation(), Status.OK, "sends and renews")
    monkeypatch.setenv("TRUESEND_PUBLIC_URL", "https://another.example")
    monkeypatch.setenv("TRUESEND_ENVIRONMENT", "stage")
    other = said(installation_checks.installation(), Status.WRONG, "under other settings")
    assert other.fix is not None
    assert other.fix.command == "truesend adopt"


# -- addresses and mail --


def test_addresses_of_a_running_installation(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("secret_key", "link_keys"):
        monkeypatch.delenv(f"TRUESEND_{name.upper()}", raising=False)
        monkeypatch.setenv(f"TRUESEND_{name.upper()}_FILE", str(stack.up.data / name))
    here = {"web": stack.url, "tracker": stack.up.tracking_url}
    with http.quiet_pools():
        monkeypatch.setenv("TRUESEND_PUBLIC_URL", stack.url)
        monkeypatch.setenv("TRUESEND_TRACKING_URL", stack.up.tracking_url)
        said(address_checks.public(""), Status.OK, "leads to this installation")
        said(address_checks.tracking(""), Status.OK, "leads to this installation")
        # Each other's, somebody else's, and nobody's.
        monkeypatch.setenv("TRUESEND_PUBLIC_URL", stack.up.tracking_url)
        monkeypatch.setenv("TRUESEND_TRACKING_URL", stack.sandbox.url)
        wrong = said(address_checks.public(here["web"]), Status.WRONG, "somebody else answers there")
        assert wrong.fix is not None
        assert wrong.fix.settings == (f"TRUESEND_PUBLIC_URL={stack.url}",)
        said(address_checks.tracking(here["tracker"]), Status.WRONG, "somebody else answers there")
        closed = free_ports(1)[0]
        monkeypatch.setenv("TRUESEND_PUBLIC_URL", f"http://localhost:{closed}")
        said(address_checks.public(""), Status.WRONG, f"nothing listens at port {closed}")
        monkeypatch.setenv("TRUESEND_PUBLIC_URL", stack.url.replace("http://", "https://"))
        said(address_checks.public(""), Status.WRONG, "no https is spoken")


def test_system_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUESEND_EMAIL_URL", raising=False)
    said(mail_checks.system_mail(), Status.WARNING, "is not set")
    with mail_server() as port:
        monkeypatch.setenv("TRUESEND_EMAIL_URL", f"smtp://ana:s3cret@localhost:{port}")
        said(mail_checks.system_mail(), Status.OK, "takes mail of ours")
        monkeypatch.setenv("TRUESEND_EMAIL_URL", f"smtps://localhost:{port}")
        said(mail_checks.system_mail(), Status.WRONG, "cannot be reached")
    said(mail_checks.system_mail(), Status.WRONG, "cannot be reached")
    with mail_server(refuses=True) as port:
        monkeypatch.setenv("TRUESEND_EMAIL_URL", f"smtp://ana:s3cret-word@localhost:{port}")
        found = said(mail_checks.system_mail(), Status.WRONG, "refuses user name and password")
    assert found.fix is not None
    assert "s3cret-word" not in found.sentence + found.fix.words


def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder_checks.disk(tmp_path).status in {Status.OK, Status.WARNING}
    monkeypatch.setattr(folder_checks, "_FULL", 2**62)
    said(folder_checks.disk(tmp_path), Status.WRONG, "opens are lost soon")


# -- providers --


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path / "sandbox") as running:
        for name, value in sandboxed.settings(running.url).items():
            if "_CLIENT_" not in name:
                monkeypatch.setenv(f"TRUESEND_{name}", value)
        monkeypatch.setenv("TRUESEND_HTTP_TIMEOUT", "3")
        clients.forget()
        with http.quiet_pools():
            yield running
        clients.forget()


def set_up() -> None:
    ours.set_up(
        User.objects.create_user(f"{uuid4()}@operators.example"),
        "google",
        client_id="sandbox-google-client",
        secret="sandbox-google-secret",
        extra={},
        version=0,
    )


def provider(key: str = "google") -> dict[str, Finding]:
    return {one.check.partition(" ")[2]: one for one in provider_checks.provider(key)}


def test_a_provider_from_nothing_to_proved(sandbox: Sandbox) -> None:
    unset = said(provider()["client"], Status.UNPROVEN, "Google is not set up")
    assert unset.fix is not None
    assert unset.fix.page.endswith("/settings/providers#google")
    set_up()
    found = provider()
    said(found["client"], Status.OK, "takes this installation's id and secret")
    said(found["return address"], Status.OK, "Google knows http://localhost:8000/oauth/google/callback")


def test_a_provider_that_refuses(sandbox: Sandbox) -> None:
    set_up()
    fields = {"provider": "google", "client_id": "sandbox-google-client", "redirect_uris": []}
    sandbox.control("POST", "clients", {**fields, "secret": "another"})
    refused = said(provider()["client"], Status.WRONG, "Google refuses this installation's client secret.")
    assert refused.fix is not None
    assert "press “Add secret”" in refused.fix.words
    assert refused.fix.page.endswith("/settings/providers#google")
    sandbox.control("POST", "clients", {**fields, "secret": "sandbox-google-secret"})
    found = provider()
    said(found["client"], Status.OK, "takes")
    unknown = said(found["return address"], Status.WRONG, "does not know")
    assert unknown.fix is not None
    assert unknown.fix.register == "http://localhost:8000/oauth/google/callback"


def test_a_client_of_the_environment_is_repaired_there(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_ID", "sandbox-google-client")
    half = said(provider()["Google"], Status.WRONG, "TRUESEND_GOOGLE_CLIENT_SECRET is not set")
    assert half.fix is not None
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "wrong")
    refused = provider()["client"]
    assert refused.fix is not None
    assert "TRUESEND_GOOGLE_CLIENT_SECRET" in refused.fix.words
    assert refused.fix.page == ""


def test_a_provider_that_is_down_is_no_refusal(sandbox: Sandbox) -> None:
    set_up()
    sandbox.fault("any", "outage")
    said(provider()["client"], Status.WARNING, "could not be asked")


def test_people_who_do_not_come_back(sandbox: Sandbox) -> None:
    set_up()
    sandbox.fault("authorize", "outage")  # so that it does not say by itself
    said(provider()["return address"], Status.UNPROVEN, "no account has come back")
    began = clock.now()
    member = rows.member()
    for number in range(2):
        Consent.objects.create(
            state_digest=bytes([number]) * 32, session_digest=b"s" * 32, member=member, provider="google",
            kind="personal", capabilities=["send"], verifier=b"", nonce="n", next_path="/", started_at=began,
        )  # fmt: skip
    ClientCheck.objects.update(since=began - timedelta(days=1))
    Consent.objects.update(started_at=began - timedelta(minutes=4))
    said(provider()["return address"], Status.WARNING, "is it registered there?")
    Consent.objects.filter(state_digest=bytes([1]) * 32).update(returned_at=began)
    said(provider()["return address"], Status.OK, "an account came back through it")
