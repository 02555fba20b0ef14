"""An organization's own Keap by a Service Account Key: pasted, checked, used, refused, replaced, by whom it may be."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from tests import connections
from tests.consents import notice
from tests.stack import Person, Stack

PAGE = "/integration/key/keap"
_organizations = itertools.count(1)


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person(organization=f"Northwind {next(_organizations)} with a key")


def key_of(ana: Person, **more: Any) -> str:
    """A key that an administrator made in Keap."""
    sandbox = ana.stack.sandbox
    sandbox.account(ana.email, "keap", name="Ana Ruiz")
    return str(sandbox.control("POST", "keap/keys", {"account": ana.email, **more})["key"])


def paste(ana: Person, key: str, query: str = "", **fields: str) -> requests.Response:
    return ana.post(PAGE + query, {"key": key, **fields})


def connect(ana: Person, key: str = "", **fields: str) -> dict[str, Any]:
    answer = paste(ana, key or key_of(ana), **fields)
    assert answer.status_code == 200, answer.text
    return ana.connection(parse_qs(urlsplit(answer.url).query)["connected"][0])


def test_a_key_is_found_on_the_page_pasted_and_connects_the_organization(stack: Stack, ana: Person) -> None:
    assert f'href="{PAGE}">Use a Service Account Key</a>' in ana.get("/integration").text
    form = ana.get(PAGE)
    assert form.status_code == 200
    assert form.headers["Cache-Control"] == "private, no-store"
    connection = connect(ana)
    assert (connection["kind"], connection["provider"], connection["address"]) == (
        "organization",
        "keap",
        ana.email,
    )
    assert connection["verdict"] != "broken"
    assert connection["next_refresh_at"] is None
    colleague = stack.member_of(ana)
    sent = colleague.email_when(colleague.send(connection["id"])["id"], "sent")
    (arrived,) = stack.sandbox.messages(delivery=sent["deliveries"][0]["id"])
    assert (arrived["count"], arrived["from"]) == (1, ana.email)
    known = connections.when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert known["sentence"].endswith("its key needs no renewal.")


def test_the_key_is_shown_nowhere(ana: Person) -> None:
    key = key_of(ana)
    connection = connect(ana, key)
    pages = [
        ana.get("/integration").text,
        ana.get(f"/connections/{connection['id']}/ledger").text,
        ana.api("GET", f"connections/{connection['id']}").text,
        ana.api("GET", f"connections/{connection['id']}/ledger").text,
        paste(ana, key[:-4] + "beef").text,
    ]
    assert not any(key in page or key[:-4] in page for page in pages)


def test_a_test_mail_proves_it_at_once(stack: Stack, ana: Person) -> None:
    connection = connect(ana, test_email="1")
    connections.when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert any(one["provider"] == "keap" for one in stack.sandbox.messages(to=ana.email))


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        ("", "key_malformed"),
        pytest.param("hello", "key_malformed", marks=pytest.mark.produces("key_malformed")),
        ("KeapAK-0123456789abcdef0123456789abcdef", "key_refused"),
        ("KeapAK-with a blank", "key_malformed"),
        ("KeapAK-ünicode\u0000", "key_malformed"),
        ("KeapAK-" + "x" * 5000, "key_malformed"),
    ],
    ids=["empty", "no key", "unknown", "blank", "odd", "long"],
)
def test_a_key_that_is_none_changes_nothing(ana: Person, key: str, cause: str) -> None:
    answer = paste(ana, key)
    assert answer.status_code == 400
    assert f"Cause: {cause}" in notice(answer)
    assert "Nothing was connected." in notice(answer)
    asked = cause == "key_refused"
    # What was not sent anywhere was not refused there, and nobody said anything of it.
    assert ("Keap refuses the Service Account Key" in notice(answer)) is asked
    assert ("was not sent anywhere" in notice(answer)) is not asked
    assert ("begins with KeapAK and" in notice(answer)) is not asked
    assert asked or "It said" not in notice(answer)
    assert ana.api("GET", "connections").json()["items"] == []


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("outage", "provider_error"), ("garbage", "provider_garbage"), ("throttle", "throttled")],
)
def test_a_provider_that_fails_is_told_from_a_bad_key(
    stack: Stack, ana: Person, fault: str, cause: str
) -> None:
    key = key_of(ana)
    stack.sandbox.fault("identity", fault, provider="keap", account=ana.email, times=1)
    answer = paste(ana, key)
    assert (answer.status_code, f"Cause: {cause}" in notice(answer)) == (400, True)
    assert connect(ana, key)["verdict"] != "broken"


@pytest.mark.produces("key_refused")
def test_a_revoked_key_is_told_and_replaced_in_place(stack: Stack, ana: Person) -> None:
    connection = connect(ana)["id"]
    ana.email_when(ana.send(connection)["id"], "sent")
    stack.sandbox.fault("any", "revoke_grant", provider="keap", account=ana.email)
    ana.api("POST", f"connections/{connection}/verify")
    known = ana.connection(connection)
    assert (known["verdict"], known["cause"]) == ("broken", "key_refused")
    assert "Service Account Key" in known["sentence"]
    assert known["fix"] == {"label": "Reconnect", "url": f"{PAGE}?connection={connection}"}
    assert [one["email"] for one in known["who"]] == [ana.email]
    # Another app's key is another account.
    other = paste(ana, key_of(ana, tenant="zz999"), f"?connection={connection}")
    assert (other.status_code, "Cause: other_account" in notice(other)) == (400, True)
    assert "Nothing was changed." in notice(other)
    fresh = paste(ana, key_of(ana), f"?connection={connection}")
    assert f"connected={connection}" in fresh.url
    again = connections.when(ana, connection, lambda one: one["verdict"] != "broken")
    assert again["id"] == connection
    ana.email_when(ana.send(connection)["id"], "sent")


def test_a_send_that_meets_a_revoked_key_is_held(stack: Stack, ana: Person) -> None:
    connection = connect(ana)["id"]
    stack.sandbox.fault("addresses.get", "revoke_grant", provider="keap", account=ana.email)
    email = ana.email_when(ana.send(connection)["id"], "held")
    assert email["problem"] == "key_refused"
    assert ana.connection(connection)["cause"] == "key_refused"


def test_a_consent_replaces_a_key_and_a_key_a_consent(stack: Stack, ana: Person) -> None:
    shared = "capabilities=send&kind=organization"
    by_consent = ana.connect(provider="keap", query=shared)
    by_key = connect(ana)
    assert by_key["id"] == by_consent["id"]
    assert (by_consent["next_refresh_at"] is not None, by_key["next_refresh_at"]) == (True, None)
    back = ana.connect(provider="keap", query=shared)
    assert (back["id"], back["next_refresh_at"] is not None) == (by_key["id"], True)
    ana.email_when(ana.send(back["id"])["id"], "sent")


def test_disconnecting_forgets_the_key(ana: Person) -> None:
    connection = connect(ana)["id"]
    assert ana.api("POST", f"connections/{connection}/disconnect").status_code == 200
    assert ana.connection(connection)["verdict"] == "disconnected"


def test_only_owners_and_managers_may_and_a_stranger_finds_nothing(stack: Stack, ana: Person) -> None:
    connection = connect(ana)["id"]
    colleague, manager = stack.member_of(ana), stack.member_of(ana, "manager")
    assert PAGE not in colleague.get("/integration").text
    for answer in (colleague.get(PAGE), paste(colleague, key_of(ana))):
        assert answer.status_code == 403
        assert ana.email in answer.text  # who can
    assert colleague.get(f"{PAGE}?connection={connection}").status_code == 403
    assert manager.get(PAGE).status_code == 200
    stranger = stack.person(organization="Globex")
    for address in (f"{PAGE}?connection={connection}", f"{PAGE}?connection=nonsense"):
        assert stranger.get(address).status_code == 404
        assert stranger.post(address, {"key": key_of(stranger)}).status_code == 404
    assert ana.get("/integration/key/google").status_code == 404
    assert ana.get("/integration/key/nobody").status_code == 404
    personal = ana.connect(provider="keap")["id"]
    assert ana.get(f"{PAGE}?connection={personal}").status_code == 404
    assert requests.get(stack.url + PAGE, allow_redirects=False, timeout=30).status_code == 302
