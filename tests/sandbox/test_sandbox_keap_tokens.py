"""Keap's token endpoint: strict shapes, single use, lifetimes, error bodies and their switches."""

from __future__ import annotations

import pytest
import requests
from tests.sandbox.keap_client import (
    ADA,
    BASIC,
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    KeapClient,
    fault_of,
    oauth_error,
)
from tests.sandbox_process import Sandbox

DAY = 86_400
DEAD = (400, "invalid_grant", "Invalid refresh token")
BAD_CODE = (401, "invalid_grant", "Unable to authenticate username and password")


def test_a_code_becomes_a_pair_that_names_its_app(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account(ADA, "keap", tenants=["xy123"])
    tokens = keap.connect()
    assert {**tokens.body, "access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "token_type": "bearer",
        "expires_in": 86_399,
        "refresh_token": "",
        "scope": "full|xy123.infusionsoft.com",
    }
    assert keap.api("GET", "v2/oauth/connect/userinfo", tokens).json()["tenant_id"] == "xy123"


def test_a_code_works_once_and_for_ten_minutes(sandbox: Sandbox, keap: KeapClient) -> None:
    code = keap.code()
    assert keap.exchange(code).status_code == 200
    assert oauth_error(keap.exchange(code)) == BAD_CODE
    late = keap.code()
    sandbox.advance(601)
    assert oauth_error(keap.exchange(late)) == BAD_CODE
    assert oauth_error(keap.exchange("nothing")) == BAD_CODE
    sandbox.switch("keap", bad_code_body="invalid")
    assert oauth_error(keap.exchange("nothing")) == (400, "invalid_grant", "Authorization code is invalid")


def test_a_code_is_bound_to_its_address(keap: KeapClient) -> None:
    code = keap.code()
    other = "http://localhost:9999/oauth/keap/callback"
    assert oauth_error(keap.exchange(code, redirect_uri=other)) == BAD_CODE


def test_a_code_wants_the_client_in_the_body_and_nowhere_else(sandbox: Sandbox, keap: KeapClient) -> None:
    code = keap.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    both = {**form, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert oauth_error(keap.token(form, BASIC))[:2] == (401, "invalid_client")
    assert oauth_error(keap.token(both, BASIC))[:2] == (401, "invalid_client")
    sandbox.switch("keap", strict_client_auth=False)
    assert keap.token(form, BASIC).status_code == 200


def test_a_refresh_wants_the_client_as_basic_and_nowhere_else(sandbox: Sandbox, keap: KeapClient) -> None:
    tokens = keap.connect()
    in_body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert oauth_error(keap.refresh(tokens.refresh, None, in_body))[:2] == (401, "invalid_client")
    assert oauth_error(keap.refresh(tokens.refresh, form=in_body))[:2] == (401, "invalid_client")
    sandbox.switch("keap", strict_client_auth=False)
    assert keap.refresh(tokens.refresh, None, in_body).status_code == 200


def test_a_wrong_client_is_told_apart_from_a_wrong_code(sandbox: Sandbox, keap: KeapClient) -> None:
    assert oauth_error(keap.exchange("nothing", client_secret="wrong"))[:2] == (401, "invalid_client")
    assert oauth_error(keap.exchange("nothing", client_id="wrong"))[:2] == (401, "invalid_client")
    assert oauth_error(keap.refresh("nothing", (CLIENT_ID, "wrong")))[:2] == (401, "invalid_client")
    sandbox.switch("keap", wrong_secret_body="apigee")
    assert keap.exchange("nothing", client_secret="wrong").json()["ErrorCode"] == "invalid_client"


def test_json_is_not_understood(keap: KeapClient) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": keap.connect().refresh}
    answer = requests.post(f"{keap.url}/keap/token", json=body, auth=BASIC, timeout=10)
    assert oauth_error(answer) == (400, "invalid_request", "response_type or grant_type is required")
    assert oauth_error(keap.token({"grant_type": "password"}))[1] == "unsupported_grant_type"


def test_a_refresh_token_works_once(sandbox: Sandbox, keap: KeapClient) -> None:
    first = keap.connect()
    second = keap.refresh(first.refresh)
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first.refresh
    assert oauth_error(keap.refresh(first.refresh)) == DEAD
    assert keap.refresh(second.json()["refresh_token"]).status_code == 200
    sandbox.switch("keap", dead_refresh_body="invalid_request")
    assert oauth_error(keap.refresh(first.refresh)) == (400, "invalid_request", "Invalid Refresh Token")


def test_a_used_refresh_token_may_have_some_grace(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.switch("keap", refresh_grace=60)
    tokens = keap.connect()
    assert keap.refresh(tokens.refresh).status_code == 200
    sandbox.advance(50)
    assert keap.refresh(tokens.refresh).status_code == 200, "within the grace"
    sandbox.advance(11)
    assert oauth_error(keap.refresh(tokens.refresh)) == DEAD


def test_a_refresh_token_lives_45_days_and_an_access_token_one(sandbox: Sandbox, keap: KeapClient) -> None:
    tokens = keap.connect()
    sandbox.advance(DAY + 1)
    answer = keap.api("GET", "v2/oauth/connect/userinfo", tokens)
    assert fault_of(answer) == (401, "keymanagement.service.access_token_expired")
    sandbox.switch("keap", expired_token_fault="invalid")
    answer = keap.api("GET", "v2/oauth/connect/userinfo", tokens)
    assert fault_of(answer) == (401, "keymanagement.service.invalid_access_token")
    sandbox.advance(43 * DAY)
    renewed = keap.refresh(tokens.refresh)
    assert renewed.status_code == 200, "44 days"
    sandbox.advance(45 * DAY + 1)
    assert oauth_error(keap.refresh(renewed.json()["refresh_token"])) == DEAD


@pytest.mark.parametrize("ends", [False, True])
def test_the_access_token_before_a_refresh_lives_on_or_not(
    sandbox: Sandbox, keap: KeapClient, ends: bool
) -> None:
    sandbox.switch("keap", refresh_ends_access_token=ends)
    tokens = keap.connect()
    keap.refresh(tokens.refresh)
    answer = keap.api("GET", "v2/oauth/connect/userinfo", tokens)
    assert answer.status_code == (401 if ends else 200)


@pytest.mark.parametrize(
    ("ends", "own", "colleague"),
    [("nothing", 200, 200), ("same_user", 400, 200), ("everybody", 400, 400)],
)
def test_a_new_consent_may_end_earlier_pairs_of_that_app(
    sandbox: Sandbox, keap: KeapClient, ends: str, own: int, colleague: int
) -> None:
    sandbox.switch("keap", new_consent_ends=ends)
    sandbox.account(ADA, "keap", tenants=["xy123", "zz999"])
    sandbox.account("bo@example.com", "keap", tenants=["xy123"])
    earlier, elsewhere = keap.connect(), keap.connect(tenant="zz999")
    other = keap.connect("bo@example.com")
    assert keap.connect().access
    assert keap.refresh(earlier.refresh).status_code == own
    assert keap.refresh(other.refresh).status_code == colleague
    assert keap.refresh(elsewhere.refresh).status_code == 200


def test_whoever_left_the_app_cannot_renew(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account(ADA, "keap", tenants=["xy123", "zz999"])
    tokens, other = keap.connect(), keap.connect(tenant="zz999")
    sandbox.account(ADA, "keap", tenants=["zz999"])
    assert oauth_error(keap.refresh(tokens.refresh)) == DEAD
    assert keap.api("GET", "v2/users", tokens).status_code == 401
    assert keap.refresh(other.refresh).status_code == 200
    sandbox.account(ADA, "keap", disabled=True)
    assert keap.api("GET", "v2/users", other).status_code == 401
