"""Causes that no other test has a provider bring about: each produced over HTTP, and told in its own words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests import stack as stacks
from tests.consents import is_untouched, notice
from tests.stack import Person, Stack, until

DAY = timedelta(days=1).total_seconds()
READING = "capabilities=send,read&kind=personal"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own: its clock goes far, and of Google nobody answers who somebody is."""
    data: Path = tmp_path_factory.mktemp("causes")
    settings = {"TRUESEND_GOOGLE_USERINFO_URL": "http://localhost:9/userinfo"}
    with stacks.running(data, settings=settings) as running:
        yield running


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def shown(ana: Person, connection: str, cause: str, *, asks: bool = True) -> dict[str, Any]:
    """The connection once it shows a cause, by API and on its card; ``asks``: after “Verify now”."""
    if asks:
        ana.api("POST", f"connections/{connection}/verify")
    found: dict[str, Any] = until(lambda: ana.connection(connection), lambda one: one["cause"] == cause, 30)
    assert f"connection-{connection}" in ana.get("/integration").text
    return found


@pytest.mark.produces("identity_without_address")
def test_an_account_without_an_address(stack: Stack, ana: Person) -> None:
    stack.sandbox.account(ana.email, "keap")
    stack.sandbox.consent(ana.email, "keap")
    body = {"id": "7", "sub": "7"}
    stack.sandbox.fault("userinfo", "status", "keap", account=ana.email, times=1, status=200, body=body)
    page = ana.get("/oauth/keap/start?capabilities=send")
    assert "cause=identity_without_address" in page.url
    assert "Keap did not tell the address of the account. Nothing was connected." in notice(page)
    is_untouched(ana)


@pytest.mark.produces("storage_failed")
def test_an_answer_that_the_database_does_not_take(stack: Stack, ana: Person) -> None:
    address = (stack.up.data / "run" / "database_url").read_text().strip()
    with psycopg.connect(address, autocommit=True) as database:
        database.execute(
            "ALTER TABLE connections_connection ADD CONSTRAINT odd CHECK (address NOT LIKE 'odd%')"
        )
        try:
            account = f"odd{ana.email}"
            stack.sandbox.account(account)
            stack.sandbox.consent(account)
            page = ana.get("/oauth/google/start?capabilities=send")
        finally:
            database.execute("ALTER TABLE connections_connection DROP CONSTRAINT odd")
    assert "cause=storage_failed" in page.url
    assert "The answer could not be stored. Nothing was connected." in notice(page)
    is_untouched(ana)


def microsoft_refuses(ana: Person, number: int, words: str) -> str:
    """A connection whose renewals meet an error of the identity platform."""
    connection = str(ana.connect(provider="microsoft")["id"])
    body = {"error": "x", "error_codes": [number], "error_description": f"AADSTS{number}: {words}"}
    sandbox = ana.stack.sandbox
    sandbox.fault("token", "status", "microsoft", account=ana.email, status=400, body=body)
    return connection


@pytest.mark.produces("tenant_unknown")
def test_a_directory_that_is_not_there(ana: Person) -> None:
    shown(ana, microsoft_refuses(ana, 90002, "Tenant 'x' not found."), "tenant_unknown")


@pytest.mark.produces("client_unknown")
def test_a_client_that_is_not_there(ana: Person) -> None:
    connection = microsoft_refuses(ana, 700016, "Application with identifier 'x' was not found.")
    shown(ana, connection, "client_unknown")


@pytest.mark.produces("client_mismatch")
def test_a_grant_of_another_client(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    until(lambda: ana.connection(connection)["capabilities"][1]["cause"], lambda cause: cause is None, 30)
    body = {"error": "unauthorized_client", "error_description": "Unauthorized"}
    stack.sandbox.fault("token", "status", account=ana.email, status=401, body=body)
    stack.sandbox.fault("read", "expire_access", account=ana.email, times=1)
    shown(ana, connection, "client_mismatch")


@pytest.mark.produces("no_refresh_token")
def test_a_permission_that_does_not_last(stack: Stack, ana: Person) -> None:
    stack.sandbox.account(ana.email, "keap")
    stack.sandbox.consent(ana.email, "keap")
    token = {"access_token": "short", "token_type": "bearer", "expires_in": 86399}
    token["scope"] = "full|xy123.infusionsoft.com"
    who = {"id": "7", "sub": "7", "email": ana.email, "tenant_id": "xy123.infusionsoft.com"}
    for operation, body in (("token", token), ("userinfo", who)):
        stack.sandbox.fault(operation, "status", "keap", times=1, status=200, body=body)
    page = ana.get("/oauth/keap/start?capabilities=send")
    assert "connected=" in page.url
    shown(ana, page.url.partition("connected=")[2].partition("&")[0], "no_refresh_token", asks=False)


@pytest.mark.produces("provider_unreachable")
def test_an_endpoint_that_nobody_listens_at(ana: Person) -> None:
    shown(ana, ana.connect()["id"], "provider_unreachable")


@pytest.mark.produces("not_asked", says="Not asked for")
def test_what_was_not_asked_for(ana: Person) -> None:
    connection = ana.connect(provider="microsoft")
    assert connection["capabilities"][1]["cause"] == "not_asked"
    assert "Not asked for" in ana.get("/integration").text


@pytest.mark.produces("read_not_tried")
def test_reading_that_was_not_tried_yet(stack: Stack, ana: Person) -> None:
    """A reset proves sending before anything else is asked."""
    connection = ana.connect(query=READING)["id"]
    until(lambda: ana.connection(connection)["capabilities"][1]["cause"], lambda cause: cause is None, 30)
    stack.sandbox.fault("read", "slow", account=ana.email, ms=6000, times=1)
    stack.sandbox.consent(ana.email)
    page = ana.get(f"/oauth/google/start?{READING}&connection={connection}&reset=1")
    assert "connected=" in page.url
    shown(ana, connection, "read_not_tried", asks=False)


@pytest.mark.produces("proof_old")
def test_a_proof_that_is_too_old(stack: Stack, ana: Person) -> None:
    """Whoever asks anew waits for the answer, and until then nothing vouches."""
    connection = ana.connect(provider="microsoft")["id"]
    ana.email_when(ana.send(connection)["id"], "sent")
    ana.api("POST", f"connections/{connection}/verify")
    stack.sandbox.fault("token", "slow", "microsoft", ms=8000)
    stack.sandbox.advance(timedelta(hours=3).total_seconds())
    shown(ana, connection, "proof_old", asks=False)


@pytest.mark.produces("testing_expired")
def test_the_seven_days_of_a_client_in_testing(stack: Stack, ana: Person) -> None:
    stack.sandbox.switch(publishing_status="testing")
    try:
        stack.sandbox.account(ana.email, test_user=True)
        connection = ana.connect(query=READING)["id"]
        stack.sandbox.advance(7 * DAY + 60)
        shown(ana, connection, "testing_expired")
    finally:
        stack.sandbox.switch(publishing_status="production")
