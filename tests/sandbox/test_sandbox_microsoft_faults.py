"""Faults at Microsoft, in its own words, and the calls as they are named and kept."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import requests
from tests.sandbox.google_client import mail
from tests.sandbox.microsoft_client import (
    ADA,
    ALL,
    IMMUTABLE,
    SIGN_IN,
    MicrosoftClient,
    aadsts,
    reason,
)
from tests.sandbox_process import Sandbox, start_sandbox

TEXT = {"Content-Type": "text/plain"}


def ask(microsoft: MicrosoftClient, header: dict[str, str]) -> requests.Response:
    """The send that can only be refused."""
    return requests.post(
        f"{microsoft.url}/v1.0/me/sendMail", data=b"no base64!", headers={**header, **TEXT}, timeout=10
    )


def test_throttling_says_when_to_come_back(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    sandbox.fault("any", "throttle", "microsoft", retry_after=30)
    answer = microsoft.send(tokens)
    assert reason(answer) == (429, "ApplicationThrottled")
    assert answer.headers["Retry-After"] == "30"
    assert aadsts(microsoft.refresh(tokens.refresh)) == (429, "temporarily_unavailable", 90055)
    assert microsoft.refresh(tokens.refresh).headers["Retry-After"] == "30"
    assert microsoft.authorize().status_code == 429
    sandbox.switch(
        "microsoft", throttle_code="TooManyRequests", retry_after="decimal", identity_throttle="50196"
    )
    answer = microsoft.send(tokens)
    assert (reason(answer)[1], answer.headers["Retry-After"]) == ("TooManyRequests", "30.000")
    assert aadsts(microsoft.refresh(tokens.refresh)) == (400, "invalid_grant", 50196)
    sandbox.switch("microsoft", retry_after="absent")
    assert "Retry-After" not in microsoft.send(tokens).headers


def test_a_mailbox_has_its_requests_in_ten_minutes(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.switch("microsoft", requests_per_10_minutes=2)
    tokens, other = microsoft.connect(scope=ALL), microsoft.connect("bea@contoso.com")
    assert [microsoft.send(tokens).status_code for _ in range(3)] == [202, 202, 429]
    assert microsoft.send(other).status_code == 202
    assert microsoft.graph("GET", "me", tokens).status_code == 200
    sandbox.advance(601)
    assert microsoft.send(tokens).status_code == 202


@pytest.mark.parametrize("status", [429, 403, 400])
def test_the_daily_limit_meets_sends_only(sandbox: Sandbox, microsoft: MicrosoftClient, status: int) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens)
    sandbox.switch("microsoft", message_limit_status=status)
    sandbox.fault("any", "daily_limit", "microsoft")
    for answer in (
        microsoft.send(tokens),
        microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE),
        ask(microsoft, tokens.header),
    ):
        assert reason(answer) == (status, "ErrorExceededMessageLimit")
    assert microsoft.get(tokens, draft["id"]).json()["isDraft"] is True
    assert microsoft.refresh(tokens.refresh).status_code == 200


def test_an_outage_speaks_as_the_service_it_meets(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    sandbox.fault("any", "outage", "microsoft", seconds=60)
    assert reason(microsoft.send(tokens)) == (503, "serviceNotAvailable")
    assert aadsts(microsoft.refresh(tokens.refresh)) == (503, "temporarily_unavailable", 90033)
    assert microsoft.authorize().status_code == 503
    sandbox.advance(61)
    assert microsoft.send(tokens).status_code == 202


def test_an_admin_block_is_met_where_somebody_asks(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens, other = microsoft.connect(), microsoft.connect("bea@contoso.com")
    fault = sandbox.fault("any", "admin_block", "microsoft", account=ADA)
    answer = microsoft.refresh(tokens.refresh)
    assert aadsts(answer) == (400, "invalid_grant", 53003)
    assert "Conditional Access" in answer.json()["error_description"]
    assert "AADSTS53003" in microsoft.authorize(login_hint=ADA).text
    assert microsoft.send(tokens).status_code == 202, "nobody asks again before the access token ends"
    assert microsoft.refresh(other.refresh).status_code == 200
    sandbox.control("DELETE", f"faults/{fault}")
    assert microsoft.refresh(tokens.refresh).status_code == 200


def test_the_clients_secret_has_expired(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    sandbox.fault("any", "client_secret_expired", "microsoft")
    answer = microsoft.refresh(tokens.refresh)
    assert aadsts(answer) == (401, "invalid_client", 7000222)
    assert "secret keys for app 'sandbox-microsoft-client' are expired" in answer.json()["error_description"]
    assert microsoft.send(tokens).status_code == 202


def test_access_tokens_end_at_once_only_by_force(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    sandbox.fault("any", "expire_access", "microsoft", account=ADA)
    answer = microsoft.send(tokens)
    assert reason(answer) == (401, "InvalidAuthenticationToken")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm=""')
    assert answer.json()["error"]["message"] == "Lifetime validation failed, the token is expired."
    sandbox.switch("microsoft", expired_token_text="Access token has expired or is not yet valid.")
    assert "not yet valid" in microsoft.send(tokens).json()["error"]["message"]
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        assert reason(ask(microsoft, header)) == (401, "InvalidAuthenticationToken")
    tokens.body["access_token"] = microsoft.refresh(tokens.refresh).json()["access_token"]
    assert microsoft.send(tokens).status_code == 202


def test_asking_sends_nothing_and_uses_nothing_up(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    assert reason(ask(microsoft, tokens.header)) == (400, "ErrorMimeContentInvalidBase64String")
    (call,) = sandbox.calls(provider="microsoft", operation="send.check")
    assert (call["account"], call["status"]) == (ADA, 400)
    sandbox.fault("send", "status", "microsoft", status=500, times=1)
    assert [ask(microsoft, tokens.header).status_code for _ in range(2)] == [500, 500]
    assert [microsoft.send(tokens).status_code for _ in range(2)] == [500, 202]
    without = microsoft.connect("new@contoso.com", SIGN_IN)
    assert reason(ask(microsoft, without.header)) == (403, "ErrorAccessDenied")
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize(("kind", "arrived"), [("lost_answer", 1), ("drop_before", 0)])
@pytest.mark.parametrize("way", ["send", "draft"])
def test_a_connection_that_dies(
    sandbox: Sandbox, microsoft: MicrosoftClient, kind: str, arrived: int, way: str
) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens, mail(X_Truesend_Delivery="d"))
    sandbox.fault("send", kind, "microsoft", times=1)

    def send() -> requests.Response:
        if way == "send":
            return microsoft.send(tokens, mail(X_Truesend_Delivery="d"))
        return microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)

    with pytest.raises(requests.ConnectionError):
        send()
    assert len(sandbox.messages(delivery="d")) == arrived
    if way == "draft":
        assert microsoft.get(tokens, draft["id"]).json()["isDraft"] is (arrived == 0)


def test_a_lost_draft_is_found_again_by_its_mark(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    sandbox.fault("drafts.create", "lost_answer", "microsoft", times=1)
    mark = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Mark"
    body = {"subject": "x", "singleValueExtendedProperties": [{"id": mark, "value": "d-1"}]}
    with pytest.raises(requests.ConnectionError):
        microsoft.graph("POST", "me/messages", tokens, json=body)
    text = f"singleValueExtendedProperties/Any(ep: ep/id eq '{mark}' and ep/value eq 'd-1')"
    found = microsoft.graph("GET", "me/messages", tokens, params={"$filter": text}).json()["value"]
    assert [one["isDraft"] for one in found] == [True]


def test_calls_have_names_and_groups(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens)
    path = f"me/messages/{draft['id']}"
    microsoft.get(tokens, draft["id"])
    microsoft.graph("PATCH", path, tokens, headers=IMMUTABLE, json={"subject": "y"})
    microsoft.graph("POST", f"{path}/send", tokens, headers=IMMUTABLE)
    microsoft.get(tokens, draft["id"])
    microsoft.graph("GET", "me/messages", tokens)
    microsoft.graph("GET", "me", tokens)
    microsoft.refresh(tokens.refresh)

    def named(group: str) -> list[str]:
        return [call["operation"] for call in sandbox.calls(provider="microsoft", operation=group)]

    assert named("draft") == ["drafts.create", "drafts.get", "drafts.update", "drafts.send"]
    assert named("send") == ["drafts.send"]
    assert named("read") == ["messages.get", "messages.list"]
    assert named("identity") == ["me"]
    assert named("token") == ["token.code", "token.refresh"]
    assert named("authorize") == ["authorize"]


def test_what_google_dies_of_is_no_cause_here(sandbox: Sandbox) -> None:
    body = {"provider": "microsoft", "operation": "any", "kind": "expire_grant", "cause": "testing"}
    assert "does not end for" in sandbox.control("POST", "faults", body, expect=400)["error"]
    for wrong in ({"tenant": "x"}, {"disabled": 1}, {"upn": None}, {"send_as": "x"}, {"gmail": True}):
        account = {"provider": "microsoft", "email": ADA, **wrong}
        assert sandbox.control("POST", "accounts", account, expect=400)["error"]


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    sandbox = start_sandbox(tmp_path)
    try:
        microsoft = MicrosoftClient(sandbox)
        tokens = microsoft.connect(scope=ALL)
        draft = microsoft.draft(tokens)
        sandbox.fault("token", "expire_grant", "microsoft", cause="mfa")
        microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)
        sandbox.process.kill()
        sandbox.process.wait()
        sandbox = start_sandbox(tmp_path)
        microsoft = MicrosoftClient(sandbox)
        assert microsoft.get(tokens, draft["id"]).json()["isDraft"] is False
        assert len(sandbox.messages()) == 1
        assert aadsts(microsoft.refresh(tokens.refresh))[2] == 50076
        keys = requests.get(f"{microsoft.url}/common/discovery/v2.0/keys", timeout=10).json()["keys"]
        kid = base64.urlsafe_b64decode(tokens.body["id_token"].split(".")[0] + "==")
        assert keys[0]["kid"].encode() in kid
    finally:
        sandbox.process.kill()
        sandbox.process.wait()
