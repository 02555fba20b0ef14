"""Microsoft's consent: what comes back, what never does, whose decision it is, and the forms for people."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from tests.sandbox.microsoft_client import (
    ADA,
    ALL,
    CALLBACK,
    CLIENT_ID,
    SEND,
    SIGN_IN,
    MicrosoftClient,
    came_back,
    claims,
)
from tests.sandbox_process import Sandbox

from truesend_sandbox.microsoft.error_pages import PAGES

PERSONAL = "pia@outlook.com"


def stays(answer: requests.Response, says: str) -> None:
    """A page that does not lead back."""
    assert answer.status_code in (200, 400), answer.text
    assert says in answer.text
    assert "Location" not in answer.headers


def field(page: requests.Response, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return found[1]


def test_yes_and_no_come_back_as_microsoft_sends_them(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.consent(ADA, "microsoft")
    yes = came_back(microsoft.authorize(state="a b&c"))
    assert set(yes) == {"code", "state", "session_state"}
    assert yes["state"] == "a b&c"
    sandbox.consent(ADA, "microsoft", "deny")
    assert came_back(microsoft.authorize()) == {
        "error": "access_denied",
        "error_subcode": "cancel",
        "state": "s",
    }
    for answer in ("access_denied", "consent_required"):
        sandbox.switch("microsoft", decline_answer=answer)
        sandbox.consent(ADA, "microsoft", "deny")
        no = came_back(microsoft.authorize())
        assert no["error"] == answer
        assert no["error_description"].startswith("AADSTS65004")


def test_another_account_may_come_back(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.consent(ADA, "microsoft", as_account="other@contoso.com")
    code = came_back(microsoft.authorize(login_hint=ADA))["code"]
    assert claims(microsoft.exchange(code).json()["id_token"])["email"] == "other@contoso.com"


def test_there_are_no_boxes_to_untick(sandbox: Sandbox) -> None:
    body = {"provider": "microsoft", "account": ADA, "decision": "approve", "untick": ["Mail.Send"]}
    assert "all or nothing" in sandbox.control("POST", "consent", body, expect=400)["error"]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_planned_and_never_returns(
    sandbox: Sandbox, microsoft: MicrosoftClient, page: str
) -> None:
    sandbox.consent(ADA, "microsoft", page=page)
    code = PAGES[page].code
    stays(microsoft.authorize(), f"AADSTS{code}" if code else PAGES[page].title.split("'")[0])


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"redirect_uri": "http://localhost:8000/elsewhere"}, "AADSTS50011"),
        ({"redirect_uri": ""}, "AADSTS900144"),
        ({"client_id": "nobody"}, "AADSTS700016"),
        ({"client_id": ""}, "AADSTS900144"),
        ({"tenant": "no-such"}, "AADSTS90002"),
        ({"tenant": "11111111-2222-3333-4444-555555555555"}, "AADSTS90002"),
    ],
)
def test_a_request_that_cannot_go_back_stays_there(
    sandbox: Sandbox, microsoft: MicrosoftClient, params: dict[str, str], says: str
) -> None:
    stays(microsoft.authorize(**params), says)
    sandbox.consent(ADA, "microsoft")
    assert came_back(microsoft.authorize())["code"], "and uses no plan up"


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"scope": "Mail.Fly"}, "invalid_scope"),
        ({"prompt": "please"}, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": "MD5"}, "invalid_request"),
    ],
)
def test_what_else_is_wrong_goes_back(microsoft: MicrosoftClient, params: dict[str, str], error: str) -> None:
    found = came_back(microsoft.authorize(**params))
    assert (found["error"], found["state"]) == (error, "s")


@pytest.mark.parametrize(
    ("email", "tenant", "fields", "says"),
    [
        (ADA, "fabrikam.com", {}, "AADSTS50020"),
        (ADA, "consumers", {}, "Use your personal account"),
        (PERSONAL, "organizations", {}, "Use your work or school account"),
        (ADA, "common", {"disabled": True}, "AADSTS50057"),
        (ADA, "common", {"deleted": True}, "AADSTS50034"),
        (ADA, "common", {"app_disabled": True}, "AADSTS7000112"),
        (ADA, "common", {"admin_block": True}, "AADSTS53003"),
    ],
)
def test_an_account_that_may_not_gets_its_page(
    sandbox: Sandbox,
    microsoft: MicrosoftClient,
    email: str,
    tenant: str,
    fields: dict[str, bool],
    says: str,
) -> None:
    sandbox.account(email, "microsoft", **fields)
    sandbox.consent(email, "microsoft")
    stays(microsoft.authorize(tenant=tenant), says)


def test_a_single_tenant_app_and_one_for_work_only(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.switch("microsoft", app_tenant="contoso.com")
    stays(microsoft.authorize(), "AADSTS50194")
    sandbox.consent("x@fabrikam.com", "microsoft")
    stays(microsoft.authorize(tenant="organizations"), "AADSTS50020")
    sandbox.consent(ADA, "microsoft")
    assert came_back(microsoft.authorize(tenant="contoso.com"))["code"]
    sandbox.switch("microsoft", app_tenant="", app_audience="work")
    sandbox.consent(PERSONAL, "microsoft")
    stays(microsoft.authorize(), "not enabled for consumers")


def test_the_managed_policy_leaves_reading_to_an_administrator(
    sandbox: Sandbox, microsoft: MicrosoftClient
) -> None:
    before = microsoft.connect("old@contoso.com", ALL)
    sandbox.switch("microsoft", consent_policy="managed")
    assert microsoft.connect(scope=SEND).access
    sandbox.consent(ADA, "microsoft")
    page = microsoft.authorize(ALL)
    stays(page, "AADSTS90094")
    assert (
        "needs permission to access resources in your organization that only an admin can grant" in page.text
    )
    assert microsoft.connect(PERSONAL, ALL).access, "personal accounts have no such policy"
    assert microsoft.refresh(before.refresh).status_code == 200, "what was granted goes on working"
    assert microsoft.connect("old@contoso.com", ALL).access
    sandbox.account("boss@contoso.com", "microsoft", admin=True)
    assert microsoft.connect("boss@contoso.com", ALL).access
    sandbox.switch("microsoft", consent_policy="none")
    sandbox.consent("new@contoso.com", "microsoft")
    stays(microsoft.authorize(SIGN_IN), "AADSTS90094")
    sandbox.switch("microsoft", consent_policy="user", unverified_publisher=True)
    assert microsoft.connect("new@contoso.com", f"{SIGN_IN} User.Read").access
    sandbox.consent("new@contoso.com", "microsoft")
    stays(microsoft.authorize(SEND), "AADSTS90094")


@pytest.mark.parametrize("answer", ["access_denied", "consent_required"])
def test_a_missing_approval_may_come_back_as_an_error(
    sandbox: Sandbox, microsoft: MicrosoftClient, answer: str
) -> None:
    sandbox.switch("microsoft", consent_policy="none", admin_approval_answer=answer)
    sandbox.consent(ADA, "microsoft")
    found = came_back(microsoft.authorize())
    assert found["error"] == answer
    assert found["error_description"] == "AADSTS90094: The grant requires admin permission."


def test_the_page_about_approval_leads_back_without_it(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.switch("microsoft", consent_policy="none")
    sandbox.consent(ADA, "microsoft")
    page = microsoft.authorize()
    link = re.search(r'href="(/common/Consent/Return[^"]*)"', page.text)
    assert link
    back = requests.get(microsoft.url + link[1], allow_redirects=False, timeout=10)
    assert came_back(back)["error_subcode"] == "cancel"
    sandbox.switch("microsoft", consent_request_workflow=True)
    sandbox.consent(ADA, "microsoft")
    page = microsoft.authorize()
    stays(page, "AADSTS90095")
    form = {"request": field(page, "request"), "justification": "please"}
    asked = requests.post(f"{microsoft.url}/common/Consent/Request", data=form, timeout=10)
    stays(asked, "Request sent")


def admin(microsoft: MicrosoftClient, tenant: str = "organizations", **params: str) -> requests.Response:
    query = {"client_id": CLIENT_ID, "redirect_uri": CALLBACK, "state": "st", "scope": ALL, **params}
    return requests.get(
        f"{microsoft.url}/{tenant}/v2.0/adminconsent", params=query, allow_redirects=False, timeout=10
    )


def test_an_administrator_grants_for_the_whole_tenant(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.switch("microsoft", consent_policy="none")
    sandbox.consent("boss@contoso.com", "microsoft")
    found = came_back(admin(microsoft))
    assert (found["admin_consent"], found["state"], found["scope"]) == ("True", "st", ALL)
    tokens = microsoft.connect(scope=ALL)
    assert claims(tokens.body["id_token"])["tid"] == found["tenant"]
    sandbox.consent("x@fabrikam.com", "microsoft")
    stays(microsoft.authorize(ALL), "AADSTS90094")
    sandbox.consent("boss@contoso.com", "microsoft", "deny")
    refused = came_back(admin(microsoft, tenant="contoso.com"))
    assert (refused["admin_consent"], refused["error"]) == ("True", "consent_required")
    assert refused["error_description"].startswith("AADSTS65004")
    for account, tenant, says in (
        (PERSONAL, "organizations", "Use your work or school account"),
        ("x@fabrikam.com", "contoso.com", "AADSTS50020"),
    ):
        sandbox.consent(account, "microsoft")
        stays(admin(microsoft, tenant=tenant), says)
    sandbox.account("user@contoso.com", "microsoft", admin=False)
    sandbox.consent("user@contoso.com", "microsoft")
    stays(admin(microsoft), "AADSTS90094")
    stays(admin(microsoft, redirect_uri="http://localhost:1/x"), "AADSTS50011")
    sandbox.consent("boss@fabrikam.com", "microsoft")
    assert came_back(admin(microsoft, scope="https://graph.microsoft.com/.default"))["tenant"]
    assert microsoft.connect("x@fabrikam.com", ALL).access


def test_an_administrator_answers_by_hand(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.switch("microsoft", consent_policy="none")
    page = admin(microsoft)
    form = {"request": field(page, "request"), "account": "another", "decision": "continue"}
    login = f"{microsoft.url}/common/adminconsent/login"
    wrong = requests.post(login, data={**form, "address": "nobody"}, timeout=10)
    assert (wrong.status_code, "Enter an email address" in wrong.text) == (400, True)
    shown = requests.post(login, data={**form, "address": "boss@contoso.com"}, timeout=10)
    assert "Review for your organization" in shown.text
    assert "Read and write access to your mail" in shown.text
    answer = requests.post(
        f"{microsoft.url}/common/adminconsent/decide",
        data={"request": field(shown, "request"), "account": "boss@contoso.com", "decision": "allow"},
        allow_redirects=False,
        timeout=10,
    )
    assert came_back(answer)["admin_consent"] == "True"
    assert microsoft.connect(scope=ALL).access


def test_people_choose_and_decide(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    page = microsoft.authorize(ALL)
    assert "Pick an account" in page.text
    form = {"request": field(page, "request"), "account": "another", "address": ADA, "decision": "continue"}
    shown = requests.post(f"{microsoft.url}/common/login", data=form, timeout=10)
    assert "Permissions requested" in shown.text
    assert "Send mail as you" in shown.text
    decide = {"request": field(shown, "request"), "account": ADA}
    sandbox.account(ADA, "microsoft", admin_block=True)
    late = requests.post(
        f"{microsoft.url}/common/Consent/Set", data={**decide, "decision": "allow"}, timeout=10
    )
    stays(late, "AADSTS53003")
    sandbox.account(ADA, "microsoft", admin_block=False)
    again = microsoft.authorize(ALL, login_hint=ADA)
    decide["request"] = field(again, "request")
    with requests.Session() as browser:
        answer = browser.post(
            f"{microsoft.url}/common/Consent/Set",
            data={**decide, "decision": "allow"},
            allow_redirects=False,
            timeout=10,
        )
        assert microsoft.exchange(came_back(answer)["code"]).status_code == 200
        query = {"client_id": CLIENT_ID, "redirect_uri": CALLBACK, "response_type": "code", "scope": ALL}

        def silent(**more: str) -> dict[str, str]:
            return came_back(
                browser.get(
                    f"{microsoft.url}/common/oauth2/v2.0/authorize",
                    params={**query, "prompt": "none", **more},
                    allow_redirects=False,
                    timeout=10,
                )
            )

        assert silent()["code"], "signed in and consented"
        assert silent(scope=f"{ALL} Contacts.Read")["error"] == "consent_required"
    assert came_back(microsoft.authorize(prompt="none"))["error"] == "login_required"
    gone = requests.post(
        f"{microsoft.url}/common/Consent/Set", data={**decide, "decision": "allow"}, timeout=10
    )
    assert (gone.status_code, "This sign-in has ended" in gone.text) == (400, True)
    cancelled = requests.post(
        f"{microsoft.url}/common/login",
        data={"request": field(microsoft.authorize(), "request"), "decision": "cancel"},
        allow_redirects=False,
        timeout=10,
    )
    assert came_back(cancelled)["error_subcode"] == "cancel"


def test_an_administrator_may_consent_for_everybody_on_the_way(
    sandbox: Sandbox, microsoft: MicrosoftClient
) -> None:
    sandbox.switch("microsoft", consent_policy="none")
    sandbox.account("boss@contoso.com", "microsoft", admin=True)
    page = microsoft.authorize(ALL, login_hint="boss@contoso.com")
    assert "Consent on behalf of your organization" in page.text
    form = {"request": field(page, "request"), "account": "boss@contoso.com"}
    requests.post(
        f"{microsoft.url}/common/Consent/Set",
        data={**form, "decision": "allow", "everyone": "yes"},
        allow_redirects=False,
        timeout=10,
    )
    assert microsoft.connect(scope=ALL).access


def test_answers_come_in_the_mode_asked_for(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.consent(ADA, "microsoft")
    answer = microsoft.authorize(response_mode="fragment")
    fragment = parse_qs(urlsplit(answer.headers["Location"]).fragment)
    assert set(fragment) == {"code", "state", "session_state"}
    sandbox.consent(ADA, "microsoft")
    posted = microsoft.authorize(response_mode="form_post")
    assert f'action="{CALLBACK}"' in posted.text
    assert microsoft.exchange(field(posted, "code")).status_code == 200
