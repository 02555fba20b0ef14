"""Every kind of fault does what it says, for whom, how often and how long it was asked."""

from __future__ import annotations

import re
import threading
import time
from datetime import datetime

import pytest
import requests
from tests.sandbox.google_client import READ, SEND, SIGN_IN, GoogleClient, mail, oauth_error, reason
from tests.sandbox_process import Sandbox


def test_status_with_a_body_of_ones_own_and_times(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    fault = sandbox.fault("send", "status", status=418, body={"a": 1}, times=2)
    for _ in range(2):
        answer = google.send(tokens)
        assert (answer.status_code, answer.json()) == (418, {"a": 1})
    assert google.send(tokens).status_code == 200
    assert len(sandbox.messages()) == 1
    assert sandbox.control("GET", "faults")["items"] == []
    sandbox.control("DELETE", f"faults/{fault}", expect=204)
    sandbox.control("DELETE", f"faults/{fault}", expect=404)


def test_garbage_is_a_200_that_is_no_json(sandbox: Sandbox, google: GoogleClient) -> None:
    code = google.code()
    fault = sandbox.fault("token", "garbage")
    answer = google.exchange(code)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    sandbox.control("DELETE", f"faults/{fault}")
    sandbox.fault("token", "garbage", body="", status=200, content_type="application/json", times=1)
    assert google.exchange(code).content == b""
    assert google.exchange(code).status_code == 200, "the code was not used up"


def test_never_holds_the_line_and_is_seen_in_the_calls(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    sandbox.fault("send", "never", times=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{google.url}/gmail/v1/users/me/messages/send",
            headers=tokens.header,
            json={"raw": "VG86IGFAYi5jCgpo"},
            timeout=0.5,
        )
    (call,) = sandbox.calls(operation="send")
    assert (call["ended"], call["status"]) == ("never", None)
    assert sandbox.messages() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_slow_before_or_after_it_happened(sandbox: Sandbox, google: GoogleClient, when: str) -> None:
    tokens = google.connect()
    sandbox.fault("send", "slow", ms=1500, when=when, times=1)
    started = time.monotonic()
    asker = threading.Thread(target=google.send, args=(tokens,))
    asker.start()
    while not sandbox.calls(operation="send"):
        time.sleep(0.02)
    assert len(sandbox.messages()) == (0 if when == "before" else 1)
    asker.join()
    assert time.monotonic() - started >= 1.5
    assert len(sandbox.messages()) == 1


def test_outage_lasts_its_seconds_by_the_sandboxs_clock(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    sandbox.fault("any", "outage", seconds=60)
    assert reason(google.send(tokens)) == (503, "backendError")
    assert google.refresh(tokens.refresh).status_code == 503
    sandbox.advance(61)
    assert google.send(tokens).status_code == 200


@pytest.mark.parametrize(("kind", "arrived"), [("drop_before", 0), ("lost_answer", 1)])
def test_the_connection_dies_before_or_after_it_happened(
    sandbox: Sandbox, google: GoogleClient, kind: str, arrived: int
) -> None:
    tokens = google.connect()
    sandbox.fault("send", kind, times=1)
    with pytest.raises(requests.ConnectionError):
        google.send(tokens, mail(X_Truesend_Delivery="d"))
    assert len(sandbox.messages(delivery="d")) == arrived
    (call,) = sandbox.calls(operation="send")
    assert call["status"] == (None if kind == "drop_before" else 200)
    assert google.send(tokens, mail(X_Truesend_Delivery="d")).status_code == 200
    (message,) = sandbox.messages(delivery="d")
    assert message["count"] == arrived + 1


@pytest.mark.parametrize("status", [429, 403])
def test_throttle_and_daily_limit_name_the_time_in_the_message(
    sandbox: Sandbox, google: GoogleClient, status: int
) -> None:
    tokens = google.connect(scope=f"{SIGN_IN} {SEND} {READ}")
    sandbox.switch(rate_limit_status=status)
    throttle = sandbox.fault("any", "throttle", retry_after=30)
    answer = google.gmail("GET", "profile", tokens)
    message = answer.json()["error"]["message"]
    assert answer.status_code == status
    assert "Retry-After" not in answer.headers
    found = re.fullmatch(r"User-rate limit exceeded\.  Retry after (\S+)", message)
    assert found
    assert 20 < datetime.fromisoformat(found[1]).timestamp() - time.time() < 31
    sandbox.control("DELETE", f"faults/{throttle}")
    sandbox.switch(retry_after_header=True)
    sandbox.fault("any", "daily_limit")
    assert google.gmail("GET", "profile", tokens).status_code == 200, "reading has no daily limit"
    refused = google.send(tokens)
    assert refused.json()["error"]["message"].endswith("(Mail sending)")
    assert refused.headers["Retry-After"] == "86400"


def test_expire_access_and_revoke_grant_at_once_or_at_the_next_call(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    tokens = google.connect()
    sandbox.fault("any", "expire_access", account="ada@gmail.com")
    assert google.send(tokens).status_code == 401
    fresh = google.refresh(tokens.refresh).json()["access_token"]
    tokens.body["access_token"] = fresh
    sandbox.fault("send", "expire_access")
    assert google.send(tokens).status_code == 401, "the token dies as the send comes in"
    tokens.body["access_token"] = google.refresh(tokens.refresh).json()["access_token"]
    assert google.send(tokens).status_code == 200
    sandbox.fault("token", "revoke_grant", account="ada@gmail.com")
    assert google.send(tokens).status_code == 200, "not yet: it waits for a token call"
    assert oauth_error(google.refresh(tokens.refresh))[2] == "Token has been expired or revoked."
    assert google.send(tokens).status_code == 401


def test_admin_block_meets_consent_refresh_and_api_until_it_is_lifted(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    tokens, other = google.connect(), google.connect("bea@gmail.com")
    fault = sandbox.fault("any", "admin_block", account="ada@gmail.com")
    assert reason(google.send(tokens)) == (403, "domainPolicy")
    assert oauth_error(google.refresh(tokens.refresh))[1] == "admin_policy_enforced"
    page = google.authorize(login_hint="ada@gmail.com")
    assert "admin_policy_enforced" in page.text
    assert google.send(other).status_code == 200
    sandbox.control("DELETE", f"faults/{fault}")
    assert google.send(tokens).status_code == 200
    assert google.refresh(tokens.refresh).status_code == 200


def test_an_expired_client_secret_stops_only_the_token_endpoint(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    tokens = google.connect()
    sandbox.fault("any", "client_secret_expired")
    assert oauth_error(google.refresh(tokens.refresh))[:2] == (401, "invalid_client")
    assert google.send(tokens).status_code == 200


def test_faults_keep_to_their_account_and_operation(sandbox: Sandbox, google: GoogleClient) -> None:
    ada, bea = google.connect(), google.connect("bea@gmail.com")
    sandbox.fault("send", "status", status=500, account="Ada@gmail.com")
    assert google.send(bea).status_code == 200
    assert google.send(ada).status_code == 500
    assert google.refresh(ada.refresh).status_code == 200
    sandbox.fault("token.refresh", "status", status=500, account="bea@gmail.com")
    assert google.refresh(bea.refresh).status_code == 500
    assert google.connect("bea@gmail.com", prompt="consent").access


def test_two_faults_of_the_same_moment_are_met_one_after_the_other(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    tokens = google.connect()
    sandbox.fault("send", "status", status=500, times=1)
    sandbox.fault("send", "status", status=502, times=1)
    assert [google.send(tokens).status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"provider": "gugel", "operation": "send", "kind": "never"}, "unknown provider"),
        ({"provider": "google", "operation": "send", "kind": "nevr"}, "unknown kind"),
        ({"provider": "google", "operation": "snd", "kind": "never"}, "unknown operation"),
        ({"provider": "google", "operation": "send", "kind": "slow"}, "ms must be a number"),
        ({"provider": "google", "operation": "send", "kind": "never", "times": 0}, "times must be"),
        ({"provider": "google", "operation": "send", "kind": "never", "sekonds": 3}, "has no sekonds"),
        ({"provider": "google", "operation": "any", "kind": "expire_grant", "cause": "x"}, "unknown cause"),
        (
            {"provider": "google", "operation": "any", "kind": "expire_grant", "cause": "mfa"},
            "does not end for",
        ),
        ({"provider": "google", "operation": "any", "kind": "password_changed", "by": "x"}, "unknown by"),
    ],
)
def test_wrong_faults_are_refused_in_a_sentence(sandbox: Sandbox, body: dict[str, object], says: str) -> None:
    assert says in sandbox.control("POST", "faults", body, expect=400)["error"]
    assert sandbox.control("DELETE", "faults/77", expect=404)["error"] == "there is no fault 77"


def test_a_send_that_can_only_be_refused_asks_and_uses_nothing_up(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    tokens = google.connect()

    def ask() -> requests.Response:
        return google.gmail("POST", "messages/send", tokens, json={"raw": "no base64!"})

    assert ask().status_code == 400
    assert [call["operation"] for call in sandbox.calls()][-1] == "send.check"
    assert sandbox.calls(operation="send") == []
    sandbox.fault("send", "throttle", times=1)
    assert [ask().status_code, ask().status_code] == [429, 429]
    assert sandbox.control("GET", "faults")["items"][0]["hits"] == 2
    assert [google.send(tokens).status_code, google.send(tokens).status_code] == [429, 200]
    sandbox.fault("send", "expire_access")
    assert [ask().status_code, ask().status_code] == [401, 401], "damage is done once, by whichever call"
    assert sandbox.control("GET", "faults")["items"] == []
    sign_in = google.connect("bea@gmail.com", SIGN_IN)
    answer = google.gmail("POST", "messages/send", sign_in, json={"raw": "no base64!"})
    assert reason(answer) == (403, "insufficientPermissions"), "the scope is looked at before the content"
    assert len(sandbox.messages()) == 1
