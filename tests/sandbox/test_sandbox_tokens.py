"""Google's token endpoint, identity and revocation: every row of the error table, every death of a grant."""

from __future__ import annotations

import base64

import pytest
import requests
from tests.sandbox.google_client import (
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    SEND,
    SIGN_IN,
    GoogleClient,
    oauth_error,
    reason,
)
from tests.sandbox_process import Sandbox

DEAD = (400, "invalid_grant", "Token has been expired or revoked.")


def test_the_answer_has_googles_shape_and_aliases(google: GoogleClient) -> None:
    body = google.connect().body
    assert set(body) == {"access_token", "expires_in", "refresh_token", "scope", "token_type", "id_token"}
    assert body["expires_in"] == 3599
    assert body["token_type"] == "Bearer"
    assert set(body["scope"].split()) == {SEND, "openid", "https://www.googleapis.com/auth/userinfo.email"}
    assert body["access_token"].startswith("ya29.")
    assert len(body["access_token"]) <= 2048
    assert body["refresh_token"].startswith("1//")
    assert len(body["refresh_token"]) <= 512
    again = google.refresh(body["refresh_token"]).json()
    assert set(again) == {"access_token", "expires_in", "scope", "token_type", "id_token"}
    assert again["access_token"] != body["access_token"]


def test_client_secret_basic_works_too(google: GoogleClient) -> None:
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    answer = requests.post(
        f"{google.url}/token",
        data={"grant_type": "authorization_code", "code": google.code(), "redirect_uri": CALLBACK},
        headers={"Authorization": f"Basic {basic}"},
        timeout=10,
    )
    assert answer.status_code == 200


def test_a_code_is_good_once_and_for_ten_minutes(sandbox: Sandbox, google: GoogleClient) -> None:
    code = google.code()
    assert len(code) <= 256
    assert google.exchange(code).status_code == 200
    assert oauth_error(google.exchange(code)) == (400, "invalid_grant", "Bad Request")
    late = google.code()
    sandbox.advance(601)
    assert oauth_error(google.exchange(late)) == (400, "invalid_grant", "Bad Request")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"code": "4%2F0Agarbage"}, (400, "invalid_grant", "Malformed auth code.")),
        ({"code": "4/0Aunknown"}, (400, "invalid_grant", "Bad Request")),
        ({"redirect_uri": CALLBACK + "x"}, (400, "redirect_uri_mismatch", "Bad Request")),
        ({"client_id": "nobody"}, (401, "invalid_client", "The OAuth client was not found.")),
        ({"client_secret": "wrong"}, (401, "invalid_client", "Unauthorized")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", "Invalid grant_type: password")),
        ({"grant_type": ""}, (400, "invalid_request", "Required parameter is missing: grant_type")),
        ({"code": ""}, (400, "invalid_request", "Missing required parameter: code")),
    ],
)
def test_every_wrong_exchange_has_its_own_answer(
    google: GoogleClient, form: dict[str, str], expected: tuple[int, str, str]
) -> None:
    right = {"grant_type": "authorization_code", "code": google.code(), "redirect_uri": CALLBACK}
    assert oauth_error(google.token(**{**right, **form})) == expected


def test_wrong_refreshes(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    assert oauth_error(google.refresh("1//unknown")) == (400, "invalid_grant", "Bad Request")
    other = {"client_id": "other", "secret": "s", "redirect_uris": [], "provider": "google"}
    sandbox.control("POST", "clients", other)
    stolen = google.refresh(tokens.refresh, client_id="other", client_secret="s")
    assert oauth_error(stolen) == (401, "unauthorized_client", "Unauthorized")
    sandbox.switch(wrong_secret_text="The provided client secret is invalid.")
    assert oauth_error(google.refresh(tokens.refresh, client_secret="x"))[2] == (
        "The provided client secret is invalid."
    )


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("revoked", DEAD),
        ("testing", DEAD),
        ("unused", DEAD),
        ("password", DEAD),
        ("limit", DEAD),
        ("deleted", (400, "invalid_grant", "Account has been deleted")),
        ("disabled", (400, "invalid_grant", "Account has been disabled")),
        ("rapt", (400, "invalid_grant", "reauth related error (invalid_rapt)")),
    ],
)
def test_a_grant_dies_of_each_cause(
    sandbox: Sandbox, google: GoogleClient, cause: str, expected: tuple[int, str, str]
) -> None:
    tokens, untouched = google.connect(), google.connect("bea@gmail.com")
    sandbox.fault("any", "expire_grant", account="ada@gmail.com", cause=cause)
    answer = google.refresh(tokens.refresh)
    assert oauth_error(answer) == expected
    assert answer.json().get("error_subtype") == ("invalid_rapt" if cause == "rapt" else None)
    assert google.refresh(untouched.refresh).status_code == 200
    assert google.connect(prompt="consent").refresh != tokens.refresh, "a new consent heals"


def test_admin_policy_has_an_error_of_its_own(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    sandbox.fault("any", "expire_grant", cause="admin_policy")
    assert oauth_error(google.refresh(tokens.refresh))[:2] == (400, "admin_policy_enforced")


def test_six_months_unused_and_over_a_hundred_tokens(sandbox: Sandbox, google: GoogleClient) -> None:
    oldest = google.connect()
    for _ in range(100):
        google.connect(prompt="consent")
    assert oauth_error(google.refresh(oldest.refresh)) == DEAD
    newest = google.connect(prompt="consent")
    sandbox.advance(170 * 86_400)
    assert google.refresh(newest.refresh).status_code == 200
    sandbox.advance(170 * 86_400)
    assert google.refresh(newest.refresh).status_code == 200, "its use has kept it alive"
    sandbox.advance(183 * 86_400)
    assert oauth_error(google.refresh(newest.refresh)) == DEAD


def test_an_access_token_lives_an_hour(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    sandbox.advance(3598)
    assert google.send(tokens).status_code == 200
    sandbox.advance(2)
    answer = google.send(tokens)
    assert reason(answer) == (401, "authError")
    body = answer.json()["error"]
    assert body["message"] == "Invalid Credentials"
    assert body["errors"][0]["location"] == "Authorization"
    assert body["errors"][0]["locationType"] == "header"


def test_a_changed_password_kills_grants_with_gmail_scopes_only(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    mail, sign_in = google.connect(), google.connect("bea@gmail.com", SIGN_IN)
    sandbox.fault("any", "password_changed")
    assert oauth_error(google.refresh(mail.refresh)) == DEAD
    assert google.refresh(sign_in.refresh).status_code == 200


@pytest.mark.parametrize("by", ["access", "refresh"])
def test_revoking_either_token_ends_all_of_the_account_and_project(
    sandbox: Sandbox, google: GoogleClient, by: str
) -> None:
    first, second = google.connect(), google.connect(prompt="consent")
    answer = requests.post(f"{google.url}/revoke", params={"token": getattr(first, by)}, timeout=10)
    assert answer.status_code == 200
    assert oauth_error(google.refresh(second.refresh)) == DEAD
    assert google.send(second).status_code == 401
    again = requests.post(f"{google.url}/revoke", data={"token": getattr(first, by)}, timeout=10)
    assert oauth_error(again) == (400, "invalid_token", "Token expired or revoked")
    assert "refresh_token" in google.connect().body, "the consent is forgotten, so it is shown again"


def test_a_revocation_may_take_its_time(sandbox: Sandbox, google: GoogleClient) -> None:
    sandbox.switch(revoke_delay=30)
    tokens = google.connect()
    requests.post(f"{google.url}/revoke", data={"token": tokens.refresh}, timeout=10)
    assert google.refresh(tokens.refresh).status_code == 200
    sandbox.advance(31)
    assert oauth_error(google.refresh(tokens.refresh)) == DEAD


def test_userinfo_tells_what_the_scopes_allow(sandbox: Sandbox, google: GoogleClient) -> None:
    sandbox.account("ada@example.com", name="Ada Lovelace", domain="example.com")

    def who(scope: str, path: str = "v1/userinfo") -> dict[str, object]:
        tokens = google.connect("ada@example.com", scope)
        body: dict[str, object] = requests.get(
            f"{google.url}/{path}", headers=tokens.header, timeout=10
        ).json()
        return body

    assert set(who(SEND)) == {"sub"}
    full = who("openid email profile")
    assert full["email"] == "ada@example.com"
    assert full["email_verified"] is True
    assert full["hd"] == "example.com"
    assert full["given_name"] == "Ada"
    legacy = who("openid email profile", "oauth2/v2/userinfo")
    assert legacy["id"] == full["sub"]
    assert legacy["verified_email"] is True
    denied = requests.get(f"{google.url}/v1/userinfo", headers={"Authorization": "Bearer x"}, timeout=10)
    assert denied.status_code == 401
