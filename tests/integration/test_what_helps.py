"""The help that is named helps: the address for an administrator elsewhere, and the way back to where one was."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import requests
from tests.accounts import words
from tests.connections import proved, when
from tests.mails import mail
from tests.stack import Person, Stack

FORWARD = "Forward to your administrator"


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def blocked(ana: Person, provider: str, **fault: Any) -> dict[str, Any]:
    """A connection that its organization's administrator no longer allows."""
    connection = proved(ana, provider=provider)
    ana.stack.sandbox.fault("any", "expire_grant", provider, account=ana.email, times=1, **fault)
    ana.stack.sandbox.fault("any", "expire_access", provider, account=ana.email, times=1)
    ana.api("POST", f"connections/{connection['id']}/verify")
    return when(ana, connection["id"], lambda one: one["cause"] == "admin_policy")


def test_what_an_administrator_has_to_allow_names_them_and_the_page(ana: Person) -> None:
    told = blocked(ana, "microsoft", cause="conditional_access")
    assert told["who"] == [{"name": "the Microsoft administrator of northwind.example", "email": ""}]
    assert told["fix"]["label"] == FORWARD
    page = told["fix"]["url"]
    assert "/v2.0/adminconsent?" in page
    assert requests.get(page, timeout=10).status_code == 200
    draft = {"connection": told["id"], "to": ["x@globex.example"], "subject": "x"}
    gates = ana.api("POST", "readiness", draft).json()["gates"]
    (gate,) = [one for one in gates if not one["ok"]]
    assert (gate["fix"], gate["who"]) == (told["fix"], told["who"])
    # On pages the address is there to be copied, and the button goes on once it is allowed.
    shown = ana.get("/integration").text
    assert html.escape(page) in shown
    assert FORWARD in shown
    assert re.search(r'action="/oauth/microsoft/start".*?Reconnect</button>', shown, re.DOTALL)
    health = ana.get("/partials/health").text
    assert f'action="/integration#connection-{told["id"]}"' in health
    text = mail(ana.stack, ana.email, "can no longer send").replace("\r\n", "\n")
    assert "Who can help: the Microsoft administrator of northwind.example." in text
    assert f"forward this to them:\n{page}" in text
    assert re.search(rf"^Reconnect:\n{re.escape(ana.stack.url)}/oauth/microsoft/start\?", text, re.MULTILINE)


def test_where_no_page_allows_it_the_administrator_is_named(ana: Person) -> None:
    told = blocked(ana, "google", cause="admin_policy")
    assert told["who"] == [{"name": "the Google administrator of northwind.example", "email": ""}]
    assert told["fix"]["label"] == "Reconnect"


def test_who_comes_back_without_an_administrators_approval_gets_the_address(ana: Person) -> None:
    sandbox = ana.stack.sandbox
    sandbox.account(ana.email, "microsoft")
    sandbox.consent(ana.email, "microsoft", page="admin_approval")
    page = requests.get(ana.begin_consent(provider="microsoft"), timeout=10).text
    link = re.search(r'href="(/[^"]*Return[^"]*)"', page)
    assert link
    back = requests.get(sandbox.url + html.unescape(link[1]), allow_redirects=False, timeout=10)
    shown = ana.get(back.headers["Location"].removeprefix(ana.stack.url))
    assert "cause=consent_denied" in shown.url
    assert "Did its page say that an administrator has to approve? Forward this address to one:" in words(
        shown
    )
    found = re.search(r'id="notice-forward">([^<]+)<', shown.text)
    assert found
    assert "/v2.0/adminconsent?" in found[1]
    # Elsewhere there is no such page, and nothing is said of it.
    sandbox.account(ana.email)
    sandbox.consent(ana.email, decision="deny")
    denied = ana.get("/oauth/google/start?capabilities=send")
    assert "You pressed Cancel at Google." in words(denied)
    assert "notice-forward" not in denied.text


def test_a_button_comes_back_to_where_it_was(ana: Person) -> None:
    connection = ana.connect()
    here = f"#connection-{connection['id']}"
    searched = {"Referer": f"{ana.stack.url}/integration?q=ana&show=working&other=1"}

    def back(what: str, **headers: str) -> str:
        path = f"/connections/{connection['id']}/{what}"
        answer = ana.post(path, allow_redirects=False, headers=headers)
        return str(answer.headers["Location"])

    assert back("verify") == f"/integration{here}"
    assert back("verify", **searched) == f"/integration?q=ana&show=working{here}"
    assert (
        back("test-email", **searched) == f"/integration?q=ana&show=working&tested={connection['id']}{here}"
    )
    assert back("verify", Referer=f"{ana.stack.url}/emails?q=x") == f"/integration{here}"
    ana.stack.sandbox.fault("any", "revoke_grant", account=ana.email, times=1)
    back("verify")
    assert back("test-email") == f"/integration?refused={connection['id']}{here}"
    # A search that is typed stands in the page's address.
    typed = ana.get("/integration/cards?q=ana", headers={"HX-Request": "true", "HX-Trigger": "search"})
    assert typed.headers["HX-Replace-Url"] == "/integration?q=ana"
    assert "HX-Replace-Url" not in ana.get("/integration/cards?q=ana", headers={"HX-Request": "true"}).headers
