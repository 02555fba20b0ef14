"""Keap's consent: who, which app, yes or no; and what never comes back."""

from __future__ import annotations

import re
from html import unescape

import pytest
import requests
from tests.sandbox.keap_client import ADA, CALLBACK, KeapClient, Tokens, came_back
from tests.sandbox_process import Sandbox


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def _post(keap: KeapClient, path: str, **form: str) -> requests.Response:
    return requests.post(f"{keap.url}/app/oauth/{path}", data=form, allow_redirects=False, timeout=10)


def test_a_person_signs_in_chooses_an_app_and_allows(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account("ben@example.com", "keap", tenants=["xy123", "zz999"])
    first = keap.authorize(state="a b&c")
    assert first.status_code == 200
    assert re.search(r">Continue</button>", first.text)
    request = _hidden(first.text, "request")
    second = _post(keap, "account", request=request, account="ben@example.com")
    assert re.search(r">Allow</button>", second.text)
    assert re.search(r">Cancel</button>", second.text)
    assert re.findall(r'name="tenant" value="([^"]+)"', second.text) == [
        "xy123.infusionsoft.com",
        "zz999.infusionsoft.com",
    ]
    third = _post(
        keap,
        "decide",
        request=request,
        account="ben@example.com",
        tenant="zz999.infusionsoft.com",
        decision="allow",
    )
    back = came_back(third)
    assert list(back) == ["code", "scope", "state"]
    assert back["scope"] == "full|zz999.infusionsoft.com"
    assert back["state"] == "a b&c"
    tokens = Tokens(keap.exchange(back["code"]).json())
    assert tokens.tenant == "zz999"
    assert keap.api("GET", "v2/oauth/connect/userinfo", tokens).json()["email"] == "ben@example.com"


def test_any_address_may_sign_in_and_a_wrong_one_is_told(keap: KeapClient) -> None:
    request = _hidden(keap.authorize().text, "request")
    wrong = _post(keap, "account", request=request, account="another", address="nonsense")
    assert wrong.status_code == 400
    assert 'role="alert"' in wrong.text
    right = _post(keap, "account", request=request, account="another", address="New.Person@Example.com")
    assert "new.person@example.com" in right.text
    tenant = _hidden(right.text, "tenant")
    done = _post(
        keap, "decide", request=request, account="new.person@example.com", tenant=tenant, decision="allow"
    )
    assert came_back(done)["scope"] == f"full|{tenant}"
    again = _post(
        keap, "decide", request=request, account="new.person@example.com", tenant=tenant, decision="allow"
    )
    assert again.status_code == 400, "the screen has been answered"


def test_nobody_gets_into_an_app_of_others(keap: KeapClient) -> None:
    request = _hidden(keap.authorize().text, "request")
    _post(keap, "account", request=request, account="another", address=ADA)
    stranger = _post(
        keap, "decide", request=request, account=ADA, tenant="of-others.infusionsoft.com", decision="allow"
    )
    assert stranger.status_code == 403
    assert "Location" not in stranger.headers


@pytest.mark.parametrize("path", ["account", "decide"])
def test_cancel_goes_back_or_not_by_switch(sandbox: Sandbox, keap: KeapClient, path: str) -> None:
    sandbox.account(ADA, "keap")
    form = {"request": _hidden(keap.authorize().text, "request"), "account": ADA, "decision": "cancel"}
    assert came_back(_post(keap, path, **form)) == {"error": "access_denied", "state": "s"}
    sandbox.switch("keap", deny_form="page")
    form["request"] = _hidden(keap.authorize().text, "request")
    page = _post(keap, path, **form)
    assert page.status_code == 403
    assert "Location" not in page.headers


def test_planned_consents_answer_themselves_once(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account(ADA, "keap", tenants=["xy123"])
    sandbox.consent(ADA, "keap")
    sandbox.consent(ADA, "keap", tenant="zz999")
    sandbox.consent(ADA, "keap", as_account="eve@example.com")
    sandbox.consent(ADA, "keap", decision="deny")
    assert came_back(keap.authorize())["scope"] == "full|xy123.infusionsoft.com"
    assert came_back(keap.authorize())["scope"] == "full|zz999.infusionsoft.com"
    other = Tokens(keap.exchange(came_back(keap.authorize())["code"]).json())
    assert keap.api("GET", "v1/oauth/connect/userinfo", other).json()["email"] == "eve@example.com"
    assert came_back(keap.authorize())["error"] == "access_denied"
    assert keap.authorize().status_code == 200, "nothing is planned any more"


def test_what_a_plan_may_not_hold_is_told(sandbox: Sandbox) -> None:
    plan = {"provider": "keap", "account": ADA}
    assert (
        "one scope" in sandbox.control("POST", "consent", {**plan, "untick": ["full"]}, expect=400)["error"]
    )
    assert "xy123" in sandbox.control("POST", "consent", {**plan, "tenant": "no app"}, expect=400)["error"]
    assert (
        "no page" in sandbox.control("POST", "consent", {**plan, "page": "org_internal"}, expect=400)["error"]
    )
    google = {"provider": "google", "account": "ada@gmail.com", "tenant": "xy123"}
    assert "tenant" in sandbox.control("POST", "consent", google, expect=400)["error"]
    assert sandbox.control("GET", "state")["consents"] == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"client_id": "unknown"}, "invalid_client"),
        ({"client_id": ""}, "invalid_client"),
        ({"redirect_uri": "http://localhost:8000/elsewhere"}, "redirect_uri_mismatch"),
        ({"redirect_uri": ""}, "redirect_uri_mismatch"),
        ({"redirect_uri": CALLBACK + "#there"}, "redirect_uri_mismatch"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "full send"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
def test_a_wrong_request_ends_on_a_page_and_uses_up_no_plan(
    sandbox: Sandbox, keap: KeapClient, params: dict[str, str], code: str
) -> None:
    sandbox.consent(ADA, "keap")
    answer = keap.authorize(**params)
    assert answer.status_code >= 400
    assert code in answer.text
    assert "Location" not in answer.headers
    assert len(sandbox.control("GET", "state")["consents"]) == 1


@pytest.mark.parametrize("page", ["redirect_uri_mismatch", "admin_block", "no_user", "invalid_client"])
def test_a_planned_page_never_comes_back(sandbox: Sandbox, keap: KeapClient, page: str) -> None:
    sandbox.consent(ADA, "keap", page=page)
    answer = keap.authorize()
    assert page in answer.text
    assert CALLBACK not in re.findall(r'(?:href|action)="([^"]*)"', answer.text)


def test_redirects_must_be_https_where_the_switch_says_so(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.switch("keap", https_redirects=True)
    secure = "https://mail.example.com/oauth/keap/callback"
    sandbox.control(
        "POST",
        "clients",
        {"provider": "keap", "client_id": "other", "secret": "s", "redirect_uris": [secure, CALLBACK]},
    )
    assert "redirect_uri_mismatch" in keap.authorize(client_id="other").text
    sandbox.consent(ADA, "keap")
    answer = keap.authorize(client_id="other", redirect_uri=secure)
    assert answer.headers["Location"].startswith(secure)


def test_whoever_is_shut_out_sees_a_page(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account(ADA, "keap", admin_block=True)
    sandbox.consent(ADA, "keap")
    assert "admin_block" in keap.authorize().text
    sandbox.account(ADA, "keap", admin_block=False, disabled=True)
    sandbox.consent(ADA, "keap")
    assert "no_user" in keap.authorize().text


def test_an_address_always_gets_the_same_app_of_its_own(sandbox: Sandbox, keap: KeapClient) -> None:
    first, other = keap.connect().tenant, keap.connect("ben@example.com").tenant
    assert first != other
    sandbox.control("POST", "reset")
    assert keap.connect().tenant == first


@pytest.mark.parametrize(
    "fields",
    [{"tenants": []}, {"tenants": ["no app"]}, {"tenants": "xy123"}, {"admin": "yes"}, {"gmail": True}],
)
def test_wrong_fields_of_an_account_are_told(sandbox: Sandbox, fields: dict[str, object]) -> None:
    body = {"provider": "keap", "email": ADA, **fields}
    assert sandbox.control("POST", "accounts", body, expect=400)["error"]


def test_a_page_makes_a_key_and_shows_it_once(sandbox: Sandbox, keap: KeapClient) -> None:
    sandbox.account(ADA, "keap", tenants=["xy123"])
    address = f"{keap.url}/keap/settings?user={ADA}"
    assert "Create Service Account Key" in requests.get(address, timeout=10).text
    made = requests.post(address, data={"tenant": "xy123", "kind": "sak"}, timeout=10).text
    found = re.search(r"KeapAK-\w+", made)
    assert found
    assert found[0] not in requests.get(address, timeout=10).text
    answer = requests.get(
        f"{keap.url}/rest/v2/oauth/connect/userinfo", headers={"X-Keap-API-Key": found[0]}, timeout=10
    )
    assert answer.json()["tenant_id"] == "xy123"
    sandbox.account(ADA, "keap", admin=False)
    assert "Create Service Account Key" not in requests.get(address, timeout=10).text
    assert requests.post(address, data={"tenant": "xy123", "kind": "sak"}, timeout=10).status_code == 403
