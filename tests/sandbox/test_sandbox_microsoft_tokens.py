"""Microsoft's token endpoint and identity: every row of the error table, every death of a grant, what outlives it."""

from __future__ import annotations

import re

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.sandbox.microsoft_client import (
    ADA,
    ALL,
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    SEND,
    SIGN_IN,
    MicrosoftClient,
    aadsts,
    claims,
    reason,
)
from tests.sandbox_process import Sandbox

GRAPH = "https://graph.microsoft.com/"
PERSONAL = "pia@outlook.com"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


def test_the_answer_has_microsofts_shape(microsoft: MicrosoftClient) -> None:
    body = microsoft.connect().body
    assert set(body) == {
        *("token_type", "scope", "expires_in", "ext_expires_in", "access_token", "refresh_token", "id_token")
    }
    assert 3600 <= body["expires_in"] <= 5400
    assert set(body["scope"].split()) == {"email", "profile", f"{GRAPH}User.Read", f"{GRAPH}Mail.Send"}
    alone = microsoft.connect("eve@contoso.com", "User.Read").body
    assert "refresh_token" not in alone
    assert "id_token" not in alone


def test_the_identity_is_signed_and_pairwise(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.account(ADA, "microsoft", upn="ada.l@contoso.com", name="Ada Lovelace")
    token = microsoft.connect(nonce="n-1").body["id_token"]
    keys = requests.get(f"{microsoft.url}/common/discovery/v2.0/keys", timeout=10).json()
    found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"]).claims
    assert found["iss"] == f"https://login.microsoftonline.com/{found['tid']}/v2.0"
    assert (found["aud"], found["ver"], found["nonce"]) == (CLIENT_ID, "2.0", "n-1")
    assert (found["preferred_username"], found["email"]) == ("ada.l@contoso.com", ADA)
    same = claims(microsoft.connect("bea@contoso.com").body["id_token"])
    assert same["tid"] == found["tid"], "one domain, one tenant"
    assert same["oid"] != found["oid"]
    other = claims(microsoft.connect("x@fabrikam.com").body["id_token"])
    assert other["tid"] != found["tid"]
    assert claims(microsoft.connect(PERSONAL).body["id_token"])["tid"] == CONSUMERS
    sandbox.account("bea@contoso.com", "microsoft", email_claim=False)
    assert "email" not in claims(microsoft.connect("bea@contoso.com").body["id_token"])
    assert set(claims(microsoft.connect(scope="openid Mail.Send").body["id_token"])) == {
        *("aud", "iss", "iat", "nbf", "exp", "sub", "tid", "ver")
    }


def test_who_am_i(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    me = microsoft.graph("GET", "me", tokens).json()
    assert (me["mail"], me["userPrincipalName"], me["displayName"]) == (ADA, ADA, "Ada")
    assert me["id"] == claims(tokens.body["id_token"])["oid"]
    sandbox.account(ADA, "microsoft", mail=None)
    chosen = microsoft.graph("GET", "me?$select=mail,id", tokens).json()
    assert {name for name in chosen if "@" not in name} == {"mail", "id"}
    assert chosen["mail"] is None
    info = requests.get(f"{microsoft.url}/oidc/userinfo", headers=tokens.header, timeout=10).json()
    assert info["sub"] == claims(tokens.body["id_token"])["sub"]
    pia = microsoft.connect(PERSONAL)
    number = microsoft.graph("GET", "me", pia).json()["id"]
    assert re.fullmatch(r"[0-9a-f]{16}", number)
    assert claims(pia.body["id_token"])["oid"].replace("-", "").endswith(number)
    assert "." not in pia.access, "a personal account's token is opaque"
    sandbox.switch("microsoft", scope_answer="asked")
    without = microsoft.connect("new@contoso.com", f"{SIGN_IN} Mail.Send")
    assert reason(microsoft.graph("GET", "me", without)) == (403, "Authorization_RequestDenied")


def test_discovery_names_the_issuer_of_its_tenant(microsoft: MicrosoftClient) -> None:
    def asked(tenant: str) -> requests.Response:
        return requests.get(f"{microsoft.url}/{tenant}/v2.0/.well-known/openid-configuration", timeout=10)

    assert asked("common").json()["issuer"] == "https://login.microsoftonline.com/{tenantid}/v2.0"
    assert CONSUMERS in asked("consumers").json()["issuer"]
    tid = claims(microsoft.connect().body["id_token"])["tid"]
    assert tid in asked(tid).json()["issuer"]
    assert tid in asked("contoso.com").json()["issuer"]
    assert aadsts(asked("11111111-2222-3333-4444-555555555555")) == (400, "invalid_request", 90002)
    assert requests.get(f"{microsoft.url}/.well-known/openid-configuration", timeout=10).json()["issuer"] == (
        "https://accounts.google.com"
    )


def test_a_refresh_gives_a_new_token_and_the_old_one_goes_on_working(microsoft: MicrosoftClient) -> None:
    first = microsoft.connect()
    second = microsoft.refresh(first.refresh).json()
    assert second["refresh_token"] != first.refresh
    for token in (first.refresh, second["refresh_token"], first.refresh):
        assert microsoft.refresh(token).status_code == 200
    assert microsoft.send(first).status_code == 202, "the first access token lives on as well"


def test_ninety_days_without_use(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    sandbox.advance(89 * 86_400)
    assert microsoft.refresh(tokens.refresh).status_code == 200
    sandbox.advance(89 * 86_400)
    later = microsoft.refresh(tokens.refresh)
    assert later.status_code == 200, "its use has kept it alive"
    sandbox.advance(91 * 86_400)
    answer = microsoft.refresh(tokens.refresh)
    assert aadsts(answer) == (400, "invalid_grant", 700082)
    assert "inactive for 90.00:00:00" in answer.json()["error_description"]


@pytest.mark.parametrize("scope", ["Mail.Send", f"{GRAPH}Mail.Send offline_access", "mail.send openid"])
def test_a_refresh_may_ask_for_less_in_either_form(
    sandbox: Sandbox, microsoft: MicrosoftClient, scope: str
) -> None:
    sandbox.switch("microsoft", scope_answer="asked", scope_form="short")
    tokens = microsoft.connect(scope=ALL)
    answer = microsoft.refresh(tokens.refresh, scope=scope).json()
    assert set(answer["scope"].split()) - {"email", "profile"} == {"Mail.Send"}
    assert claims(answer["access_token"])["scp"].split().count("Mail.ReadWrite") == 0
    whole = microsoft.refresh(answer["refresh_token"]).json()
    assert "Mail.ReadWrite" in whole["scope"].split(), "what was given stays given"
    more = microsoft.refresh(tokens.refresh, scope="Mail.Send Contacts.Read")
    assert aadsts(more) == (400, "invalid_grant", 65001)
    assert more.json()["suberror"] == "consent_required"
    assert aadsts(microsoft.refresh(tokens.refresh, scope="Mail.Fly"))[2] == 70011


def test_the_answer_may_hold_more_than_was_asked(microsoft: MicrosoftClient) -> None:
    microsoft.connect(scope=ALL)
    later = microsoft.connect(scope=SEND).body
    assert f"{GRAPH}Mail.ReadWrite" in later["scope"].split()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client", 7000215)),
        ({"client_secret": ""}, (401, "invalid_client", 7000218)),
        ({"client_id": "nobody"}, (400, "unauthorized_client", 700016)),
        ({"client_id": ""}, (400, "invalid_request", 900144)),
        ({"code": "false"}, (400, "invalid_grant", 70000)),
        ({"code": ""}, (400, "invalid_request", 900144)),
        ({"redirect_uri": ""}, (400, "invalid_request", 900144)),
        ({"redirect_uri": "http://localhost:1/elsewhere"}, (400, "invalid_request", 50011)),
        ({"redirect_uri": CALLBACK.replace("8000", "8123")}, (400, "invalid_grant", 70000)),
        ({"code_verifier": "x" * 43}, (400, "invalid_grant", 501481)),
        ({"code_verifier": ""}, (400, "invalid_grant", 501481)),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", 70003)),
        ({"grant_type": ""}, (400, "invalid_request", 900144)),
        ({"tenant": "fabrikam.com"}, (400, "invalid_grant", 700005)),
        ({"tenant": "no-such"}, (400, "invalid_request", 90002)),
    ],
)
def test_each_wrong_exchange_has_its_number_and_uses_no_code_up(
    microsoft: MicrosoftClient, form: dict[str, str], expected: tuple[int, str, int]
) -> None:
    verifier = "v" * 43
    code = microsoft.code(code_challenge=verifier, code_challenge_method="plain")
    answer = microsoft.exchange(**{"code": code, "code_verifier": verifier, **form})
    assert aadsts(answer) == expected
    body = answer.json()
    assert body["trace_id"] == answer.headers["x-ms-request-id"]
    assert body["error_uri"].endswith(f"?code={expected[2]}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", body["timestamp"])
    assert f"\r\nTrace ID: {body['trace_id']}\r\nCorrelation ID: " in body["error_description"]
    assert microsoft.exchange(code, code_verifier=verifier).status_code == 200


def test_a_code_is_good_once_and_for_ten_minutes(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    code = microsoft.code()
    assert microsoft.exchange(code).status_code == 200
    assert aadsts(microsoft.exchange(code)) == (400, "invalid_grant", 54005)
    late, personal = microsoft.code(), microsoft.code(PERSONAL)
    sandbox.advance(601)
    assert aadsts(microsoft.exchange(late)) == (400, "invalid_grant", 70008)
    assert "The code has expired." in microsoft.exchange(personal).json()["error_description"]


@pytest.mark.parametrize(
    ("cause", "number", "suberror"),
    [
        ("revoked", 50173, "bad_token"),
        ("password", 50173, "bad_token"),
        ("unused", 700082, "bad_token"),
        ("deleted", 50034, None),
        ("disabled", 50057, None),
        ("admin_policy", 53003, "message_only"),
        ("conditional_access", 53003, "message_only"),
        ("mfa", 50076, "basic_action"),
        ("sign_in_frequency", 70043, "bad_token"),
        ("consent_removed", 65001, "consent_required"),
    ],
)
def test_a_grant_dies_of_each_cause_and_the_access_token_lives_on(
    sandbox: Sandbox, microsoft: MicrosoftClient, cause: str, number: int, suberror: str | None
) -> None:
    tokens, untouched = microsoft.connect(), microsoft.connect("bea@contoso.com")
    sandbox.fault("any", "expire_grant", "microsoft", account=ADA, cause=cause)
    answer = microsoft.refresh(tokens.refresh)
    assert aadsts(answer) == (400, "invalid_grant", number)
    assert answer.json().get("suberror") == suberror
    assert ("claims" in answer.json()) == (number in (50076, 53003))
    assert microsoft.refresh(untouched.refresh).status_code == 200
    assert microsoft.send(tokens).status_code == 202
    sandbox.advance(5401)
    assert reason(microsoft.send(tokens)) == (401, "InvalidAuthenticationToken")
    assert microsoft.connect().refresh, "a new consent heals"


def test_what_a_changed_password_does_depends_on_who_changed_it(
    sandbox: Sandbox, microsoft: MicrosoftClient
) -> None:
    tokens = microsoft.connect()
    sandbox.fault("any", "password_changed", "microsoft", account=ADA)
    assert microsoft.refresh(tokens.refresh).status_code == 200
    sandbox.fault("any", "password_changed", "microsoft", account=ADA, by="admin")
    assert aadsts(microsoft.refresh(tokens.refresh))[2] == 50173


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("disabled", (400, "invalid_grant", 50057)),
        ("deleted", (400, "invalid_grant", 50034)),
        ("admin_block", (400, "invalid_grant", 53003)),
        ("app_disabled", (400, "unauthorized_client", 7000112)),
    ],
)
def test_a_state_of_the_account_ends_refreshes_until_it_is_lifted(
    sandbox: Sandbox, microsoft: MicrosoftClient, field: str, expected: tuple[int, str, int]
) -> None:
    tokens, code = microsoft.connect(), microsoft.code(prompt="consent")
    sandbox.account(ADA, "microsoft", **{field: True})
    assert aadsts(microsoft.refresh(tokens.refresh)) == expected
    assert aadsts(microsoft.exchange(code)) == expected
    sandbox.account(ADA, "microsoft", **{field: False})
    assert microsoft.refresh(tokens.refresh).status_code == 200


def test_revoking_leaves_the_consent_and_removing_it_does_not(
    sandbox: Sandbox, microsoft: MicrosoftClient
) -> None:
    microsoft.connect()
    sandbox.fault("any", "revoke_grant", "microsoft", account=ADA)
    assert microsoft.connect(scope=SIGN_IN).body["scope"].count("Mail.Send") == 1
    sandbox.fault("any", "expire_grant", "microsoft", account=ADA, cause="consent_removed")
    assert "Mail.Send" not in microsoft.connect(scope=SIGN_IN).body.get("scope", "")


def test_personal_accounts_answer_in_their_own_style(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(PERSONAL)
    sandbox.fault("any", "revoke_grant", "microsoft", account=PERSONAL)
    answer = microsoft.refresh(tokens.refresh)
    assert aadsts(answer) == (400, "invalid_grant", 70000)
    sandbox.switch("microsoft", personal_errors="entra")
    assert aadsts(microsoft.refresh(tokens.refresh))[2] == 50173


def test_errors_that_are_switches(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    sandbox.fault("any", "expire_grant", "microsoft", cause="mfa")
    sandbox.switch(
        "microsoft",
        policy_error="interaction_required",
        unknown_app_error="invalid_client",
        suberror=False,
        claims_challenge=False,
    )
    answer = microsoft.refresh(tokens.refresh)
    assert aadsts(answer) == (400, "interaction_required", 50076)
    assert not {"suberror", "claims"} & set(answer.json())
    assert aadsts(microsoft.exchange("x", client_id="nobody"))[1] == "invalid_client"


def test_client_secret_basic_and_client_info(microsoft: MicrosoftClient) -> None:
    answer = requests.post(
        f"{microsoft.url}/common/oauth2/v2.0/token",
        data={
            "grant_type": "authorization_code",
            "code": microsoft.code(),
            "redirect_uri": CALLBACK,
            "client_info": "1",
        },
        auth=(CLIENT_ID, CLIENT_SECRET),
        timeout=10,
    )
    assert answer.status_code == 200
    assert answer.json()["client_info"]


def test_a_refresh_token_is_no_good_at_another_tenant(microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    assert microsoft.refresh(tokens.refresh, "organizations").status_code == 200
    assert aadsts(microsoft.refresh(tokens.refresh, "consumers"))[2] == 50020
    assert aadsts(microsoft.refresh(f"{tokens.refresh}x"))[2] == 70000
