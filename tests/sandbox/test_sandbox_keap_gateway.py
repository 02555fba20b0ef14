"""Keap's gateway: who may pass, what every answer carries, limits, keys; and who the users are."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from tests.sandbox.keap_client import ADA, KeapClient, Tokens, fault_of
from tests.sandbox_process import Sandbox

USERINFO = "v2/oauth/connect/userinfo"
QUOTA, THROTTLE, TENANT = "x-keap-product-quota", "x-keap-product-throttle", "x-keap-tenant-throttle"


def _get(keap: KeapClient, path: str = USERINFO, **headers: str) -> requests.Response:
    return requests.get(f"{keap.url}/crm/rest/{path}", headers=headers, timeout=10)


def test_the_gateway_answers_before_the_api(keap: KeapClient) -> None:
    missing = (401, "oauth.v2.InvalidAccessToken")
    assert fault_of(_get(keap)) == missing
    assert fault_of(_get(keap, Authorization="Basic abc")) == missing
    assert fault_of(_get(keap, "v2/there/is/no/such/thing")) == missing
    garbage = _get(keap, Authorization="Bearer garbage")
    assert fault_of(garbage) == (401, "keymanagement.service.invalid_access_token")
    assert garbage.headers[f"{QUOTA}-limit"] == ""
    assert garbage.headers["x-keap-tenant-id"] == ""


def test_an_address_the_api_does_not_have_is_404_to_whoever_may_ask(keap: KeapClient) -> None:
    tokens = keap.connect()
    answer = _get(keap, "v2/there/is/no/such/thing", **tokens.header)
    assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert _get(keap, "v1/appointments", **tokens.header).json() == {"message": "Not Found"}


@pytest.mark.parametrize("base", ["/crm/rest", "/rest"])
def test_the_api_is_at_both_bases(keap: KeapClient, base: str) -> None:
    header = keap.connect().header
    for path in (USERINFO, "v1/oauth/connect/userinfo", "v1/users", "v2/contacts"):
        assert requests.get(f"{keap.url}{base}/{path}", headers=header, timeout=10).status_code == 200


def test_v1_takes_the_token_in_the_query_too(keap: KeapClient) -> None:
    token = keap.connect().access
    assert _get(keap, f"v1/users?access_token={token}").status_code == 200
    assert _get(keap, f"v2/users?access_token={token}").status_code == 401


def test_every_answer_carries_quota_throttle_and_tenant(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account(ADA, "keap", tenants=["xy123"])
    tokens = keap.connect()
    for path in (USERINFO, "v2/contacts/9999"):
        headers = keap.api("GET", path, tokens).headers
        assert headers["x-keap-tenant-id"] == "xy123.infusionsoft.com"
        assert (headers[f"{QUOTA}-limit"], headers[f"{QUOTA}-time-unit"]) == ("150000", "day")
        assert (headers[f"{THROTTLE}-limit"], headers[f"{THROTTLE}-available"]) == ("1500", "1499")
        assert headers[f"{TENANT}-limit"] == "10000|250000"
        assert headers[f"{TENANT}-time-unit"] == "minute|day"
        assert int(headers[f"{QUOTA}-expiry-time"]) % 86_400_000 == 0, "midnight UTC, in milliseconds"
    sandbox.switch("keap", tenant_windows="one")
    assert keap.api("GET", USERINFO, tokens).headers[f"{TENANT}-limit"] == "10000"


def _new_minute(sandbox: Sandbox) -> None:
    """To the start of a window, so that none ends between two calls."""
    sandbox.advance(60 - sandbox.control("GET", "state")["clock"]["now"] % 60)


def test_limits_hold_only_where_asked_and_count_the_client_over_all_apps(
    sandbox: Sandbox, keap: KeapClient
) -> None:
    ada, ben = keap.connect(), keap.connect("ben@example.com")
    sandbox.switch("keap", client_per_minute=3)
    assert [keap.api("GET", USERINFO, ada).status_code for _ in range(5)] == [200] * 5
    sandbox.switch("keap", enforce_limits=True)
    _new_minute(sandbox)
    answers = [keap.api("GET", USERINFO, tokens) for tokens in (ada, ben, ada, ben)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers[f"{THROTTLE}-available"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].json() == {
        "code": "429",
        "message": "Quota Exceeded",
        "status": "Request Throttled",
        "details": None,
    }
    assert "Retry-After" not in answers[3].headers
    sandbox.switch("keap", throttle_body="apigee", retry_after_header=True)
    other = keap.api("GET", USERINFO, ada)
    assert fault_of(other) == (429, "policies.ratelimit.QuotaViolation")
    assert 1 <= int(other.headers["Retry-After"]) <= 60
    _new_minute(sandbox)
    assert keap.api("GET", USERINFO, ada).status_code == 200


def test_the_day_of_a_client_ends_at_midnight_utc(sandbox: Sandbox, keap: KeapClient) -> None:
    tokens = keap.connect()
    sandbox.switch("keap", enforce_limits=True, client_per_day=2, throttle_body="apigee")
    assert [keap.api("GET", USERINFO, tokens).status_code for _ in range(3)] == [200, 200, 429]
    over = keap.api("GET", USERINFO, tokens)
    assert (over.headers[f"{QUOTA}-available"], over.headers[f"{QUOTA}-used"]) == ("0", "2")
    now = sandbox.control("GET", "state")["clock"]["now"]
    sandbox.advance(int(over.headers[f"{QUOTA}-expiry-time"]) / 1000 - now + 1)
    fresh = Tokens(keap.refresh(tokens.refresh).json())
    assert keap.api("GET", USERINFO, fresh).status_code == 200


def test_a_tenant_has_limits_of_its_own_and_a_spike_is_named(sandbox: Sandbox, keap: KeapClient) -> None:
    ada, ben = keap.connect(), keap.connect("ben@example.com")
    sandbox.switch("keap", enforce_limits=True, tenant_per_minute=1)
    _new_minute(sandbox)
    assert [keap.api("GET", USERINFO, tokens).status_code for tokens in (ada, ben, ada)] == [200, 200, 429]
    sandbox.switch("keap", tenant_per_minute=10_000, client_per_second=1, throttle_body="apigee")
    answers = (keap.api("GET", USERINFO, ada) for _ in range(1000))
    over = next(answer for answer in answers if answer.status_code != 200)
    assert fault_of(over) == (429, "policies.ratelimit.SpikeArrestViolation")


def _key(sandbox: Sandbox, **body: Any) -> str:
    return str(sandbox.control("POST", "keap/keys", {"account": ADA, **body})["key"])


def test_a_key_has_the_rights_of_its_user_in_its_app(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account(ADA, "keap", tenants=["xy123", "zz999"])
    key = _key(sandbox, tenant="zz999")
    assert key.startswith("KeapAK-")
    for headers in ({"X-Keap-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        answer = _get(keap, **headers)
        assert answer.json()["tenant_id"] == "zz999"
        assert answer.headers[f"{THROTTLE}-limit"] == "240"
        assert answer.headers["x-keap-product-spike-limit"] == "10ps"
    (first, _) = sandbox.calls(provider="keap", operation="userinfo")
    assert first["account"] == ADA
    sandbox.advance(400 * 86_400)
    assert _get(keap, **{"X-Keap-API-Key": key}).status_code == 200, "a key does not age"
    sandbox.switch("keap", key_lifetime=365)
    assert _get(keap, **{"X-Keap-API-Key": key}).status_code == 401, "or it does"
    sandbox.switch("keap", key_lifetime=None)
    sandbox.fault("any", "revoke_grant", "keap", account=ADA)
    ended = _get(keap, **{"X-Keap-API-Key": key})
    assert fault_of(ended) == (401, "keymanagement.service.invalid_access_token")


def test_a_key_has_smaller_limits(sandbox: Sandbox, keap: KeapClient) -> None:
    key = _key(sandbox, kind="pat")
    sandbox.switch("keap", enforce_limits=True, key_per_minute=2)
    _new_minute(sandbox)
    headers = {"X-Keap-API-Key": key}
    assert [_get(keap, **headers).status_code for _ in range(3)] == [200, 200, 429]
    assert keap.api("GET", USERINFO, keap.connect()).status_code == 200, "the client is counted apart"


def test_only_an_admin_makes_a_service_account_key(sandbox: Sandbox) -> None:
    sandbox.account(ADA, "keap", admin=False)
    assert "admin" in sandbox.control("POST", "keap/keys", {"account": ADA}, expect=400)["error"]
    assert _key(sandbox, kind="pat")
    for wrong in (
        {"account": ADA, "kind": "x"},
        {"account": "x"},
        {"account": ADA, "tenant": "a b"},
        {"who": 1},
    ):
        sandbox.control("POST", "keap/keys", wrong, expect=400)


def test_userinfo_and_users_are_joined_by_the_global_id(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account(ADA, "keap", name="Ada King", tenants=["xy123"])
    sandbox.account("ben@example.com", "keap", tenants=["xy123"], disabled=True)
    sandbox.account("eve@example.com", "keap")
    tokens = keap.connect()
    v1 = keap.api("GET", "v1/oauth/connect/userinfo", tokens).json()
    v2 = keap.api("GET", USERINFO, tokens).json()
    assert v2["id"] == str(v1["global_user_id"])
    assert (v1["given_name"], v1["family_name"]) == ("Ada", "King")
    users = keap.api("GET", "v1/users", tokens).json()
    assert [(user["email_address"], user["status"]) for user in users["users"]] == [
        (ADA, "Active"),
        ("ben@example.com", "Inactive"),
    ]
    assert users["users"][0]["global_user_id"] == v1["global_user_id"]
    assert users["count"] == 2
    assert keap.api("GET", "v1/users?include_inactive=false", tokens).json()["count"] == 1
    listed = keap.api("GET", "v2/users", tokens, params={"filter": "email==ben*"}).json()["users"]
    assert [(user["keap_id"], user["status"]) for user in listed] == [("ben@example.com", "INACTIVE")]
    one = keap.api("GET", f"v2/users/{listed[0]['id']}", tokens).json()
    assert one == listed[0]
    assert keap.api("GET", "v2/users/999999", tokens).status_code == 404


def test_users_are_ordered_and_paged(sandbox: Sandbox, keap: KeapClient) -> None:
    for name in ("Cy Zorn", "Bo Young", "Al Xu"):
        sandbox.account(f"{name[:2].lower()}@example.com", "keap", name=name, tenants=["xy123"])
    tokens = keap.connect("cy@example.com")

    def given(**params: str) -> tuple[list[str], str | None]:
        body = keap.api("GET", "v2/users", tokens, params=params).json()
        return [user["given_name"] for user in body["users"]], body.get("next_page_token")

    assert given() == (["Cy", "Bo", "Al"], None)
    assert given(order_by="name")[0] == ["Al", "Bo", "Cy"]
    assert given(order_by="email desc")[0] == ["Cy", "Bo", "Al"]
    first, token = given(order_by="name", page_size="2")
    assert first == ["Al", "Bo"]
    assert token
    assert given(order_by="name", page_size="2", page_token=token) == (["Cy"], None)
    sandbox.switch("keap", last_page_token="empty")
    assert given()[1] == ""
    for wrong in ({"page_size": "101"}, {"page_token": "é"}, {"order_by": "age"}, {"filter": "age==3"}):
        assert keap.api("GET", "v2/users", tokens, params=wrong).status_code == 400


def test_an_admin_shuts_the_application_out(sandbox: Sandbox, keap: KeapClient) -> None:
    tokens = keap.connect()
    sandbox.account(ADA, "keap", admin_block=True)
    assert keap.api("GET", "v2/contacts", tokens).status_code == 403
    assert keap.api("GET", "v1/users", tokens).json()["message"]
    assert keap.api("GET", USERINFO, tokens).status_code == 403
    sandbox.switch("keap", admin_block_spares_userinfo=True)
    assert keap.api("GET", USERINFO, tokens).status_code == 200
    assert keap.refresh(tokens.refresh).status_code == 200
