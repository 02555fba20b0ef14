"""Google's consent: pages, answers, errors that never return, and who gets a refresh token."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import urlsplit

import pytest
import requests
from tests.sandbox.google_client import (
    CALLBACK,
    READ,
    SEND,
    SIGN_IN,
    GoogleClient,
    came_back,
    oauth_error,
)
from tests.sandbox_process import Sandbox

BOTH = f"{SIGN_IN} {SEND} {READ}"


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return found[1]


def test_a_person_chooses_a_new_account_and_allows(google: GoogleClient) -> None:
    first = google.authorize(BOTH, state="a b&c")
    assert first.status_code == 200
    assert "Use another account" in first.text
    assert re.search(r">Continue</button>", first.text)
    request_id = _hidden(first.text, "request")
    second = requests.post(
        f"{google.url}/o/oauth2/account",
        data={"request": request_id, "account": "another", "address": "New.Person@gmail.com"},
        timeout=10,
    )
    assert second.status_code == 200
    assert ">Allow</button>" in second.text
    assert ">Cancel</button>" in second.text
    assert second.text.count('type="checkbox"') == 2
    third = requests.post(
        f"{google.url}/o/oauth2/decide",
        data={
            "request": request_id,
            "account": "new.person@gmail.com",
            "boxes": "yes",
            "scope": SEND,
            "decision": "allow",
        },
        allow_redirects=False,
        timeout=10,
    )
    back = came_back(third)
    assert back["state"] == "a b&c"
    assert back["iss"] == "https://accounts.google.com"
    assert set(back["scope"].split()) == {SEND, "openid", "https://www.googleapis.com/auth/userinfo.email"}
    again = requests.post(
        f"{google.url}/o/oauth2/decide",
        data={"request": request_id, "account": "new.person@gmail.com", "decision": "allow"},
        timeout=10,
    )
    assert again.status_code == 400


def test_a_typed_address_counts_although_an_account_of_the_list_is_marked(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    sandbox.account("ada@gmail.com")
    page = google.authorize().text
    assert 'value="ada@gmail.com" checked' in page
    form = {"request": _hidden(page, "request"), "account": "ada@gmail.com", "prefilled": ""}

    def account_of(**more: str) -> str:
        return requests.post(f"{google.url}/o/oauth2/account", data={**form, **more}, timeout=10).text

    assert 'name="account" value="bea@gmail.com"' in account_of(address="bea@gmail.com")
    assert 'name="account" value="ada@gmail.com"' in account_of(address="")
    assert 'name="account" value="ada@gmail.com"' in account_of(
        address="x@y.example", prefilled="x@y.example"
    )
    hinted = google.authorize(login_hint="new@gmail.com").text
    assert _hidden(hinted, "prefilled") == "new@gmail.com"
    assert 'value="another" checked' in hinted


def test_a_typed_address_that_is_none_is_asked_again(google: GoogleClient) -> None:
    request_id = _hidden(google.authorize().text, "request")
    answer = requests.post(
        f"{google.url}/o/oauth2/account",
        data={"request": request_id, "account": "another", "address": "<script>"},
        timeout=10,
    )
    assert answer.status_code == 400
    assert "Enter an email address" in answer.text
    assert "<script>" not in answer.text


def test_cancel_and_deny_come_back_as_access_denied_with_the_state(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    request_id = _hidden(google.authorize(state="x").text, "request")
    cancelled = requests.post(
        f"{google.url}/o/oauth2/account",
        data={"request": request_id, "decision": "cancel"},
        allow_redirects=False,
        timeout=10,
    )
    assert came_back(cancelled) == {"error": "access_denied", "state": "x"}
    sandbox.consent("ada@gmail.com", decision="deny")
    assert came_back(google.authorize(state="y")) == {"error": "access_denied", "state": "y"}


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"redirect_uri": CALLBACK + "/"}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": "https://localhost:8000/oauth/google/callback"}, 400, "redirect_uri_mismatch"),
        (
            {"redirect_uri": "http://localhost.evil.example/oauth/google/callback"},
            400,
            "redirect_uri_mismatch",
        ),
        (
            {"redirect_uri": "http://localhost:80@evil.example/oauth/google/callback"},
            400,
            "redirect_uri_mismatch",
        ),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"scope": "openid gmail.everything"}, 400, "invalid_scope"),
        ({"prompt": "none consent"}, 400, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": "S512"}, 400, "invalid_request"),
    ],
)
def test_wrong_requests_show_a_page_and_never_return(
    sandbox: Sandbox, google: GoogleClient, params: dict[str, str], status: int, code: str
) -> None:
    sandbox.consent("ada@gmail.com")
    answer = google.authorize(**params) if "scope" in params else google.authorize(SIGN_IN, **params)
    assert answer.status_code == status
    assert f"Error {status}: {code}" in answer.text
    assert "Location" not in answer.headers
    assert CALLBACK not in re.sub(r"redirect_uri=[^<]*", "", answer.text)


@pytest.mark.parametrize(
    "page",
    [
        "redirect_uri_mismatch",
        "invalid_client",
        "deleted_client",
        "access_denied",
        "admin_policy_enforced",
        "org_internal",
        "disallowed_useragent",
        "invalid_request",
    ],
)
def test_a_planned_page_is_shown_once(sandbox: Sandbox, google: GoogleClient, page: str) -> None:
    sandbox.consent("ada@gmail.com", page=page)
    answer = google.authorize()
    assert answer.status_code >= 400
    assert f": {page}" in answer.text
    assert sandbox.control("GET", "state")["consents"] == []


def test_any_port_of_localhost_and_registered_clients_may_return(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    sandbox.consent("ada@gmail.com")
    answer = google.authorize(redirect_uri="http://localhost:18123/oauth/google/callback")
    assert answer.headers["Location"].startswith("http://localhost:18123/oauth/google/callback?")
    sandbox.control(
        "POST",
        "clients",
        {
            "provider": "google",
            "client_id": "other",
            "secret": "s",
            "redirect_uris": ["https://app.example/cb"],
            "project": "other",
        },
    )
    sandbox.consent("ada@gmail.com")
    other = google.authorize(client_id="other", redirect_uri="https://app.example/cb")
    assert urlsplit(other.headers["Location"]).netloc == "app.example"


def test_unticking_some_gives_fewer_scopes_and_unticking_all_is_a_refusal(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    sandbox.consent("ada@gmail.com", untick=["gmail.readonly"])
    back = came_back(google.authorize(BOTH))
    assert SEND in back["scope"]
    assert READ not in back["scope"]
    assert READ not in google.exchange(back["code"]).json()["scope"]
    sandbox.consent("ada@gmail.com", untick=[SEND, READ])
    assert came_back(google.authorize(BOTH, prompt="consent"))["error"] == "access_denied"
    sandbox.consent("ada@gmail.com", untick=["gmail.send"])
    assert came_back(google.authorize(prompt="consent"))["error"] == "access_denied"
    sandbox.switch(granular_single_scope=True)
    sandbox.consent("ada@gmail.com", untick=["gmail.send"])
    assert SEND not in came_back(google.authorize(prompt="consent"))["scope"]


def test_another_account_may_come_back_than_the_one_hinted(sandbox: Sandbox, google: GoogleClient) -> None:
    sandbox.consent("ada@gmail.com", as_account="eve@gmail.com")
    tokens = google.exchange(came_back(google.authorize(login_hint="ada@gmail.com"))["code"]).json()
    who = requests.get(
        f"{google.url}/v1/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=10
    ).json()
    assert who["email"] == "eve@gmail.com"


def test_plans_are_matched_by_hint_before_age(sandbox: Sandbox, google: GoogleClient) -> None:
    sandbox.consent("first@gmail.com", decision="deny")
    sandbox.consent("second@gmail.com")
    assert "code" in came_back(google.authorize(login_hint="second@gmail.com"))
    assert came_back(google.authorize(login_hint="third@gmail.com"))["error"] == "access_denied"


def test_a_refresh_token_comes_only_with_offline_access_and_a_shown_consent(google: GoogleClient) -> None:
    assert "refresh_token" not in google.connect(access_type="online").body
    assert "refresh_token" not in google.connect().body, "the consent was given before and is not shown again"
    assert "refresh_token" in google.connect(prompt="consent").body
    assert "refresh_token" in google.connect(scope=BOTH).body, "a scope not given before shows the consent"


def test_prompt_none_needs_a_session_and_an_earlier_consent(sandbox: Sandbox, google: GoogleClient) -> None:
    assert came_back(google.authorize(prompt="none"))["error"] == "login_required"
    browser = requests.Session()
    query = {"client_id": "sandbox-google-client", "redirect_uri": CALLBACK, "response_type": "code"}
    sandbox.consent("ada@gmail.com")

    def ask(scope: str, **more: str) -> dict[str, str]:
        return came_back(
            browser.get(
                f"{google.url}/o/oauth2/v2/auth",
                params={**query, "scope": scope, **more},
                allow_redirects=False,
                timeout=10,
            )
        )

    assert "code" in ask("openid")
    assert "code" in ask("openid", prompt="none")
    assert ask(f"openid {SEND}", prompt="none")["error"] == "consent_required"
    sandbox.account("bea@gmail.com")
    assert ask("openid", prompt="none", login_hint="bea@gmail.com")["error"] == "interaction_required"


def test_include_granted_scopes_covers_earlier_grants(google: GoogleClient) -> None:
    google.connect(scope=f"{SIGN_IN} {SEND}")
    assert SEND not in google.connect(scope=f"{SIGN_IN} {READ}").body["scope"]
    together = google.connect(scope=f"{SIGN_IN} {READ}", include_granted_scopes="true").body["scope"].split()
    assert {SEND, READ} <= set(together)


def test_testing_refuses_who_is_not_listed_and_ends_after_seven_days(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    sandbox.switch(publishing_status="testing")
    sandbox.account("stranger@gmail.com", test_user=False)
    sandbox.consent("stranger@gmail.com")
    answer = google.authorize()
    assert (answer.status_code, "Error 403: access_denied" in answer.text) == (403, True)
    listed = google.connect()
    assert listed.body["refresh_token_expires_in"] == 604_799
    sandbox.advance(6 * 86_400)
    assert google.refresh(listed.refresh).status_code == 200
    sandbox.advance(86_400)
    assert oauth_error(google.refresh(listed.refresh)) == (
        400,
        "invalid_grant",
        "Token has been expired or revoked.",
    )
    assert "refresh_token_expires_in" not in google.connect("bea@gmail.com", SIGN_IN).body


def test_an_internal_app_refuses_other_domains(sandbox: Sandbox, google: GoogleClient) -> None:
    sandbox.switch(user_type="internal", internal_domain="example.com")
    sandbox.account("ada@example.com", domain="example.com")
    assert came_back(_planned(sandbox, google, "ada@example.com"))["hd"] == "example.com"
    assert "org_internal" in _planned(sandbox, google, "bob@gmail.com").text


def _planned(sandbox: Sandbox, google: GoogleClient, email: str) -> requests.Response:
    sandbox.consent(email)
    return google.authorize()


def test_an_embedded_browser_is_refused(google: GoogleClient) -> None:
    answer = requests.get(
        f"{google.url}/o/oauth2/v2/auth",
        headers={"User-Agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36"},
        timeout=10,
    )
    assert answer.status_code == 403
    assert "disallowed_useragent" in answer.text


def test_pkce_is_checked_in_both_methods(google: GoogleClient) -> None:
    verifier = "v" * 50
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    code = google.code(code_challenge=digest, code_challenge_method="S256")
    assert oauth_error(google.exchange(code))[1:] == ("invalid_grant", "Missing code verifier.")
    wrong = google.exchange(code, code_verifier="w" * 50)
    assert oauth_error(wrong)[1:] == ("invalid_grant", "Invalid code verifier.")
    assert google.exchange(code, code_verifier=verifier).status_code == 200
    plain = google.code(code_challenge=verifier)
    assert google.exchange(plain, code_verifier=verifier).status_code == 200
