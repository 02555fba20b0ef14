"""Pushes: they speed up what looking finds anyway, and nothing else can be done with them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests import stack as stacks
from tests import up
from tests.integration.test_inbox import READING, arrived, kinds, sent
from tests.stack import Person, Stack, until

# So rarely is a mailbox looked into here that what is found at once was told of.
SECONDS = 3600
ACCOUNT = "push@sandbox.iam.gserviceaccount.com"
RENEWS = {"google": "watch", "microsoft": "subscriptions.create", "keap": "hooks.create"}
ALL = "capabilities=send,read,contacts&kind=personal"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("push")
    settings = {
        "TRUESEND_INBOX_SECONDS": str(SECONDS),
        "TRUESEND_PUSH": "on",
        "TRUESEND_GOOGLE_PUBSUB_TOPIC": "projects/sandbox/topics/truesend",
        "TRUESEND_GOOGLE_PUBSUB_ACCOUNT": ACCOUNT,
    }
    with stacks.running(data, settings=settings) as running:
        running.sandbox.switch("google", pubsub_endpoint=f"{running.url}/webhooks/google")
        yield running
    up.remove(data)


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


@pytest.fixture(autouse=True)
def _as_usual(stack: Stack) -> Iterator[None]:
    yield
    for provider in RENEWS:
        stack.sandbox.switch(provider, push_delivery=None, push_delay=None)
    stack.sandbox.switch("google", pubsub_audience=None, pubsub_account=None)


def told(stack: Stack, ana: Person, provider: str) -> str:
    """A connection of which its provider tells."""
    query = ALL if provider == "keap" else READING
    connection = ana.connect(query=query, provider=provider)["id"]
    until(
        lambda: stack.sandbox.calls(provider=provider, operation=RENEWS[provider], account=ana.email),
        bool,
        20,
    )
    return str(connection)


def pushed(stack: Stack, ana: Person, provider: str = "google") -> list[dict[str, Any]]:
    return stack.sandbox.calls(provider=provider, operation="push", account=ana.email)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
@pytest.mark.parametrize("delivery", ["once", "twice"])
def test_a_push_finds_it_at_once_and_once(stack: Stack, ana: Person, provider: str, delivery: str) -> None:
    email = sent(ana, told(stack, ana, provider))
    stack.sandbox.switch(provider, push_delivery=delivery)
    stack.sandbox.act(arrived(stack, email), "reply")
    assert kinds(ana.signals(email["id"], 1, 20)) == ["reply"]
    # And once more for nothing: late, and again.
    stack.sandbox.switch(provider, push_delay=1)
    stack.sandbox.act(arrived(stack, email), "reply", text="One more thing.")
    assert kinds(ana.signals(email["id"], 2, 20)) == ["reply", "reply"]


def test_keap_tells_that_something_changed(stack: Stack, ana: Person) -> None:
    to = f"kim-{ana.email}"
    email = sent(ana, told(stack, ana, "keap"), to)
    stack.sandbox.act(arrived(stack, email), "bounce")
    assert kinds(ana.signals(email["id"], 1, 20)) == ["bounce"]


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_what_no_push_told_is_found_by_looking(stack: Stack, ana: Person, provider: str) -> None:
    connection = told(stack, ana, provider)
    email = sent(ana, connection)
    stack.sandbox.switch(provider, push_delivery="dropped")
    stack.sandbox.act(arrived(stack, email), "reply")
    stack.sandbox.advance(SECONDS + 60)
    assert kinds(ana.signals(email["id"], 1, 30)) == ["reply"]
    assert "last event" in ana.get("/integration/cards").text.lower()


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_what_ends_is_begun_again_by_itself(stack: Stack, ana: Person, provider: str) -> None:
    connection = told(stack, ana, provider)
    before = len(stack.sandbox.calls(provider=provider, operation=RENEWS[provider], account=ana.email))
    stack.sandbox.advance(8 * 86_400)  # both have ended at the provider by then
    until(
        lambda: len(stack.sandbox.calls(provider=provider, operation=RENEWS[provider], account=ana.email)),
        lambda number: number > before,
        30,
    )
    email = sent(ana, connection)
    stack.sandbox.act(arrived(stack, email), "reply")
    assert kinds(ana.signals(email["id"], 1, 30)) == ["reply"]


def test_a_subscription_that_was_removed_is_made_again(stack: Stack, ana: Person) -> None:
    connection = told(stack, ana, "microsoft")
    email = sent(ana, connection)
    made = stack.sandbox.calls(provider="microsoft", operation="subscriptions.create", account=ana.email)
    stack.sandbox.control(
        "POST", "microsoft/lifecycle", {"account": ana.email, "event": "subscriptionRemoved"}
    )
    until(
        lambda: stack.sandbox.calls(
            provider="microsoft", operation="subscriptions.create", account=ana.email
        ),
        lambda calls: len(calls) > len(made),
        20,
    )
    stack.sandbox.act(arrived(stack, email), "reply")
    assert kinds(ana.signals(email["id"], 1, 20)) == ["reply"]
    stack.sandbox.control(
        "POST", "microsoft/lifecycle", {"account": ana.email, "event": "reauthorizationRequired"}
    )
    until(
        lambda: stack.sandbox.calls(provider="microsoft", operation="subscriptions.renew", account=ana.email),
        lambda calls: any(one["status"] == 200 for one in calls),
        20,
    )


@pytest.mark.parametrize(
    "wrong", [{"pubsub_audience": "https://elsewhere.example"}, {"pubsub_account": "eve@x.example"}]
)
def test_a_well_signed_push_for_somebody_else_is_refused(
    stack: Stack, ana: Person, wrong: dict[str, str]
) -> None:
    email = sent(ana, told(stack, ana, "google"))
    stack.sandbox.switch("google", **wrong)
    before = len(pushed(stack, ana))
    stack.sandbox.act(arrived(stack, email), "reply")
    calls = until(lambda: pushed(stack, ana)[before:], bool, 20)
    assert {one["status"] for one in calls} == {403}
    assert ana.signals(email["id"], 0) == []
    stack.sandbox.advance(SECONDS + 60)
    assert kinds(ana.signals(email["id"], 1, 30)) == ["reply"]


def test_forged_pushes_are_refused(stack: Stack, ana: Person) -> None:
    told(stack, ana, "google")
    data = base64.b64encode(json.dumps({"emailAddress": ana.email, "historyId": 1}).encode()).decode()
    body = json.dumps({"message": {"data": data, "messageId": "1"}})
    url = f"{stack.url}/webhooks/google"
    segment = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for header in ("", "Bearer", "Bearer x.y.z", f"Bearer {segment}.e30.", "Basic dTpw"):
        answer = requests.post(url, data=body, headers={"Authorization": header}, timeout=10)
        assert answer.status_code == 403, header
    for path in ("microsoft", "microsoft/guessed", "keap/guessed", "elsewhere", "google/guessed"):
        answer = requests.post(f"{stack.url}/webhooks/{path}?validationToken=hello", data=body, timeout=10)
        assert (answer.status_code, "hello" in answer.text) == (404, False), path
    assert requests.get(url, timeout=10).status_code == 405
    large = requests.post(url, data=b"x" * (1024 * 1024 + 1), timeout=10)
    assert large.status_code == 413


def test_a_push_about_a_connection_that_is_gone(stack: Stack, ana: Person) -> None:
    connection = told(stack, ana, "google")
    email = sent(ana, connection)
    assert ana.api("POST", f"connections/{connection}/disconnect").status_code in (200, 204)
    before = len(pushed(stack, ana))
    stack.sandbox.act(arrived(stack, email), "reply")
    calls = until(lambda: pushed(stack, ana)[before:], bool, 20)
    assert {one["status"] for one in calls} == {204}
    assert ana.signals(email["id"], 0) == []
    # Connected again, what came meanwhile is found.
    ana.connect(ana.email, READING)
    assert kinds(ana.signals(email["id"], 1, 30)) == ["reply"]
