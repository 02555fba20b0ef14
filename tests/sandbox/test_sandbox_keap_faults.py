"""Faults in Keap's words: what they answer, what they end, whom they leave alone."""

from __future__ import annotations

import pytest
import requests
from tests.sandbox.keap_client import ADA, KeapClient, Tokens, fault_of, oauth_error
from tests.sandbox_process import Sandbox

USERINFO = "v2/oauth/connect/userinfo"
DEAD = (400, "invalid_grant", "Invalid refresh token")
INVALID = (401, "keymanagement.service.invalid_access_token")


@pytest.fixture
def tokens(keap: KeapClient) -> Tokens:
    return keap.connect()


def test_removed_access_ends_both_tokens_of_that_person_only(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    other, google = keap.connect("ben@example.com"), sandbox.account("ada@gmail.com")
    sandbox.fault("any", "revoke_grant", "keap", account=ADA)
    assert oauth_error(keap.refresh(tokens.refresh)) == DEAD
    assert fault_of(keap.api("GET", USERINFO, tokens)) == INVALID
    assert keap.api("GET", USERINFO, other).status_code == 200
    assert keap.refresh(other.refresh).status_code == 200
    assert google["id"]
    sandbox.switch("keap", revoked_token_fault="not_approved")
    assert fault_of(keap.api("GET", USERINFO, tokens))[1].endswith("access_token_not_approved")
    assert keap.api("GET", USERINFO, keap.connect()).status_code == 200, "a new consent works"


def test_faults_of_one_provider_leave_the_other_alone(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    for kind in ("revoke_grant", "expire_access", "password_changed"):
        sandbox.fault("any", kind, "google")
    assert keap.api("GET", USERINFO, tokens).status_code == 200
    assert keap.refresh(tokens.refresh).status_code == 200


@pytest.mark.parametrize("cause", ["revoked", "deleted", "disabled", "admin_policy"])
def test_a_grant_dies_with_one_answer_for_every_cause(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, cause: str
) -> None:
    sandbox.fault("any", "expire_grant", "keap", account=ADA, cause=cause)
    assert oauth_error(keap.refresh(tokens.refresh)) == DEAD
    assert keap.api("GET", USERINFO, tokens).status_code == 401


def test_an_unused_grant_leaves_the_access_token(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    sandbox.fault("any", "expire_grant", "keap", account=ADA, cause="unused")
    assert oauth_error(keap.refresh(tokens.refresh)) == DEAD
    assert keap.api("GET", USERINFO, tokens).status_code == 200


@pytest.mark.parametrize("cause", ["testing", "rapt", "limit", "password", "mfa"])
def test_causes_keap_does_not_know_are_refused(sandbox: Sandbox, cause: str) -> None:
    fault = {"provider": "keap", "kind": "expire_grant", "cause": cause}
    told = sandbox.control("POST", "faults", fault, expect=400)["error"]
    assert cause in told
    assert "unused" in told


def test_an_expired_access_token_says_so_and_can_be_renewed(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    sandbox.fault("any", "expire_access", "keap", account=ADA)
    answer = keap.api("GET", USERINFO, tokens)
    assert fault_of(answer) == (401, "keymanagement.service.access_token_expired")
    renewed = Tokens(keap.refresh(tokens.refresh).json())
    assert keap.api("GET", USERINFO, renewed).status_code == 200


@pytest.mark.parametrize("ends", [False, True])
def test_a_changed_password_ends_tokens_only_by_switch(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, ends: bool
) -> None:
    key = sandbox.control("POST", "keap/keys", {"account": ADA})["key"]
    sandbox.switch("keap", password_change_ends_tokens=ends)
    sandbox.fault("any", "password_changed", "keap", account=ADA)
    assert keap.api("GET", USERINFO, tokens).status_code == (401 if ends else 200)
    assert keap.refresh(tokens.refresh).status_code == (400 if ends else 200)
    answer = requests.get(
        f"{keap.url}/rest/v2/oauth/connect/userinfo", headers={"X-Keap-API-Key": key}, timeout=10
    )
    assert answer.status_code == 200, "a key has nothing to do with the password"


def test_an_admin_shuts_the_application_out(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    fault = sandbox.fault("any", "admin_block", "keap")
    for path in (USERINFO, "v2/contacts", "v1/emails"):
        answer = keap.api("GET", path, tokens)
        assert answer.status_code == 403
        assert "administrator" in answer.json()["message"]
        assert answer.headers["x-keap-tenant-id"] == f"{tokens.tenant}.infusionsoft.com"
    assert keap.send(tokens, user_id="1").status_code == 403
    assert keap.refresh(tokens.refresh).status_code == 200
    sandbox.consent(ADA, "keap")
    assert "admin_block" in keap.authorize().text
    sandbox.control("DELETE", f"faults/{fault}", expect=204)
    assert keap.api("GET", "v2/contacts", tokens).status_code == 200


def test_an_expired_client_secret_is_invalid_client_at_the_token_endpoint(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    sandbox.fault("any", "client_secret_expired", "keap")
    assert oauth_error(keap.refresh(tokens.refresh))[:2] == (401, "invalid_client")
    assert oauth_error(keap.exchange("nothing"))[:2] == (401, "invalid_client")
    assert keap.api("GET", USERINFO, tokens).status_code == 200
    sandbox.control("DELETE", "faults", expect=204)
    assert keap.refresh(tokens.refresh).status_code == 200, "nothing was used up"


def test_throttling_is_told_in_body_and_headers(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    sandbox.fault("contacts", "throttle", "keap", account=ADA, times=1, retry_after=7)
    answer = keap.api("GET", "v2/contacts", tokens)
    assert (answer.status_code, answer.json()["message"]) == (429, "Quota Exceeded")
    assert answer.headers["x-keap-product-throttle-available"] == "0"
    assert answer.headers["x-keap-product-quota-available"] != "0"
    assert keap.api("GET", "v2/contacts", tokens).status_code == 200
    sandbox.switch("keap", throttle_body="apigee", retry_after_header=True)
    sandbox.fault("contacts", "throttle", "keap", times=1, retry_after=7)
    answer = keap.api("GET", "v2/contacts", tokens)
    assert fault_of(answer) == (429, "policies.ratelimit.QuotaViolation")
    assert answer.headers["Retry-After"] == "7"


def test_the_days_quota_meets_every_call_of_the_api(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    bob = keap.contact(tokens)
    sandbox.fault("any", "daily_limit", "keap", retry_after=3600)
    now = sandbox.control("GET", "state")["clock"]["now"]
    for answer in (keap.api("GET", USERINFO, tokens), keap.send(tokens, bob, user_id="1")):
        assert (answer.status_code, answer.json()["status"]) == (429, "Request Throttled")
        assert answer.headers["x-keap-product-quota-available"] == "0"
        assert now + 3600 <= int(answer.headers["x-keap-product-quota-expiry-time"]) / 1000 < now + 3700
    assert keap.refresh(tokens.refresh).status_code == 200
    assert sandbox.messages() == []


def test_an_outage_meets_everything(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    sandbox.fault("any", "outage", "keap", seconds=60)
    assert fault_of(keap.api("GET", USERINFO, tokens))[0] == 503
    assert keap.refresh(tokens.refresh).status_code == 503
    assert keap.authorize().status_code == 503
    sandbox.advance(61)
    sandbox.fault("any", "outage", "keap", status=500, times=1)
    assert keap.api("GET", "v2/contacts", tokens).json()["code"] == 500
    assert keap.refresh(tokens.refresh).status_code == 200


def test_a_lost_answer_of_a_send_has_arrived_and_is_in_the_history(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    bob, user = keap.contact(tokens), keap.user(tokens)
    sandbox.fault("send", "lost_answer", "keap", account=ADA, times=1)
    with pytest.raises(requests.ConnectionError):
        keap.send(tokens, bob, user_id=user)
    assert len(sandbox.messages()) == 1
    assert len(keap.api("GET", "v2/emails", tokens).json()["emails"]) == 1
    (call,) = sandbox.calls(operation="send", account=ADA)
    assert (call["ended"], call["status"]) == ("lost", 202)


def test_a_lost_answer_of_a_refresh_costs_the_grant(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    sandbox.fault("token", "lost_answer", "keap", times=1)
    with pytest.raises(requests.ConnectionError):
        keap.refresh(tokens.refresh)
    assert oauth_error(keap.refresh(tokens.refresh)) == DEAD, "no grace"
    again = keap.connect()
    sandbox.fault("token", "drop_before", "keap", times=1)
    with pytest.raises(requests.ConnectionError):
        keap.refresh(again.refresh)
    assert keap.refresh(again.refresh).status_code == 200


def test_a_question_meets_the_faults_of_a_send_and_uses_none_up(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    bob = keap.contact(tokens)
    sandbox.fault("send", "status", "keap", status=500, body={"code": 500}, times=1)
    for _ in range(2):
        assert keap.send(tokens, user_id="1").status_code == 500
    assert keap.send(tokens, bob, user_id="1").status_code == 500
    assert keap.send(tokens, user_id="1").status_code == 400


@pytest.mark.parametrize(
    ("group", "met"),
    [
        ("identity", {"userinfo", "users.list"}),
        ("contacts", {"contacts.list", "addresses.get"}),
        ("read", {"emails.list"}),
        ("token", set()),
    ],
)
def test_groups_hold_the_operations_they_are_named_for(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, group: str, met: set[str]
) -> None:
    keap.contact(tokens)
    sandbox.fault(group, "outage", "keap", account=ADA)
    for path in (
        USERINFO,
        "v2/users",
        "v2/contacts",
        "v2/emailAddresses/bob@example.org/status",
        "v2/emails",
    ):
        keap.api("GET", path, tokens)
    calls = sandbox.calls(provider="keap")
    assert {call["operation"] for call in calls if call["status"] == 503} == met
