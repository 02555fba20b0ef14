"""Error pages at the provider that never come back, and what Truesend can tell of them."""

from __future__ import annotations

import html
import re

import pytest
import requests
from tests.stack import Person, Stack

# The sandbox's page, and what ours must say of it.
PAGES = {
    "redirect_uri_mismatch": "The return address of this installation is not registered at Google.",
    "admin_policy_enforced": "An administrator at Google does not allow Truesend for this account.",
    "access_denied": "This installation's client is in testing at Google, and this account is no tester.",
    "org_internal": "This installation's client is reserved for another organization at Google.",
    "invalid_client": "Google does not know this installation's client id.",
    "deleted_client": "Google does not know this installation's client id.",
    "disallowed_useragent": "Google refuses to sign people in inside another app's window.",
    "invalid_scope": "Google does not know a permission we asked for.",
}


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def go_astray(person: Person, page: str) -> None:
    sandbox = person.stack.sandbox
    sandbox.account(person.email)
    sandbox.consent(person.email, page=page)
    answer = requests.get(person.begin_consent(), allow_redirects=False, timeout=30)
    assert answer.status_code >= 400
    assert "Location" not in answer.headers


@pytest.mark.produces("redirect_mismatch", "org_internal", "not_a_tester", "browser_refused", "scope_refused")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_leads_nowhere(stack: Stack, page: str) -> None:
    ana = stack.person()
    go_astray(ana, page)
    assert "You have not come back" not in words(ana.get("/integration").text)
    stack.sandbox.advance(181)
    shown = ana.get("/integration")
    assert "You have not come back from Google." in words(shown.text)
    form = re.search(
        r'<form method="get" action="(/oauth/google/pages)">.*?What did its page say\?', shown.text
    )
    assert form
    told = ana.get(form[1])
    listed = re.findall(r"<li>(.*?)</li>", told.text, re.S)
    (mine,) = [words(one) for one in listed if re.search(rf"Error \d+: {page}\b", one)]
    assert PAGES[page] in mine
    assert "What helps:" in mine
    assert "Who can:" in mine
    assert f"{stack.url}/oauth/google/callback" in told.text
    # Nothing is half-connected, and coming back after all ends the notice.
    assert ana.api("GET", "connections").json()["items"] == []
    ana.connect()
    assert "You have not come back" not in words(ana.get("/integration").text)


@pytest.mark.produces("consent_unfinished", says="You have not come back from Google.")
def test_a_wrong_redirect_uri_is_such_a_page(stack: Stack) -> None:
    ana = stack.person()
    url = ana.begin_consent().replace("oauth%2Fgoogle%2Fcallback", "oauth%2Fgoogle%2Felsewhere")
    answer = requests.get(url, allow_redirects=False, timeout=30)
    assert answer.status_code == 400
    assert "redirect_uri_mismatch" in answer.text
    stack.sandbox.advance(181)
    assert "You have not come back from Google." in words(ana.get("/integration").text)


def test_an_account_that_is_no_tester(stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.switch(publishing_status="testing")
    try:
        stack.sandbox.account(ana.email, test_user=False)
        stack.sandbox.consent(ana.email)
        answer = requests.get(ana.begin_consent(), allow_redirects=False, timeout=30)
    finally:
        stack.sandbox.switch(publishing_status="production")
    assert answer.status_code == 403
    assert "has not completed the Google verification process" in answer.text
