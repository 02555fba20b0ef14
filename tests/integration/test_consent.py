"""What a consent can end in: the cause is on the screen, nothing is half-connected, and the next consent works."""

from __future__ import annotations

import html
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from tests.consents import READ, SEND, approved, come_back, is_untouched, next_consent_works, notice
from tests.stack import Person, Stack

# -- state ------------------------------------------------------------------------------------------------------


def assert_state_invalid(answer: requests.Response) -> None:
    assert answer.status_code == 400, answer.text
    assert "Cause: <code>state_invalid</code>" in answer.text
    assert "Nothing was connected." in answer.text
    assert "/integration" in answer.text


@pytest.mark.parametrize(
    "state",
    [
        "",
        "forged",
        "x" * 5000,
        "\x00",
        "ü",
        pytest.param(secrets.token_urlsafe(32), id="as long as a real one"),
    ],
)
def test_a_forged_state(stack: Stack, state: str) -> None:
    ana = stack.person()
    genuine = approved(ana)
    assert_state_invalid(come_back(ana, **{**genuine, "state": state}))
    is_untouched(ana)
    # The genuine one is still good: a forger cannot use it up.
    assert "connected=" in come_back(ana, **genuine).url


@pytest.mark.produces("state_invalid")
def test_a_replayed_state(stack: Stack) -> None:
    ana = stack.person()
    genuine = approved(ana)
    assert "connected=" in come_back(ana, **genuine).url
    assert_state_invalid(come_back(ana, **genuine))
    (connection,) = ana.api("GET", "connections").json()["items"]
    assert connection["verdict"] == "unproven"


def test_a_state_replayed_at_the_same_time_is_taken_once(stack: Stack) -> None:
    ana = stack.person()
    genuine = approved(ana)
    cookies = ana.jar.cookies.get_dict()

    def once(_: int) -> requests.Response:
        url = f"{stack.url}/oauth/google/callback?{urlencode(genuine)}"
        return requests.get(url, cookies=cookies, allow_redirects=False, timeout=30)

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(once, range(6)))
    assert statuses == [302, 400, 400, 400, 400, 400]
    assert len(ana.api("GET", "connections").json()["items"]) == 1


def test_an_expired_state(stack: Stack) -> None:
    ana = stack.person()
    genuine = approved(ana)
    stack.sandbox.advance(3601)
    assert_state_invalid(come_back(ana, **genuine))
    is_untouched(ana)
    next_consent_works(ana)


def test_the_callback_in_another_members_session(stack: Stack) -> None:
    ana, ben = stack.person(), stack.person("ben")
    genuine = approved(ana)
    assert_state_invalid(come_back(ben, **genuine))
    is_untouched(ben)
    assert "connected=" in come_back(ana, **genuine).url
    is_untouched(ben)


def test_the_callback_signed_out(stack: Stack) -> None:
    ana = stack.person()
    genuine = approved(ana)
    ana.post("/logout")
    assert_state_invalid(come_back(ana, **genuine))
    # Signing in again is another session: the consent stays void, since anybody could hold that address.
    ana.sign_in()
    assert_state_invalid(come_back(ana, **genuine))
    is_untouched(ana)
    next_consent_works(ana)


def test_the_same_member_in_another_browser(stack: Stack) -> None:
    ana = stack.person()
    genuine = approved(ana)
    other = Person(stack, ana.email, ana.organization)
    other.sign_in()
    assert_state_invalid(come_back(other, **genuine))
    is_untouched(ana)


# -- code -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["forged", "4/0AforgedForgedForged", "\x00", "x" * 4000])
def test_a_forged_code(stack: Stack, code: str) -> None:
    ana = stack.person()
    page = come_back(ana, **{**approved(ana), "code": code})
    assert "cause=code_refused" in page.url
    assert "Google did not take back the code it had just given" in notice(page)
    assert "Nothing was connected." in notice(page)
    is_untouched(ana)
    next_consent_works(ana)


@pytest.mark.produces("code_missing")
def test_no_code_at_all(stack: Stack) -> None:
    ana = stack.person()
    page = come_back(ana, state=approved(ana)["state"])
    assert "cause=code_missing" in page.url
    assert "without an answer we can read" in notice(page)
    is_untouched(ana)


@pytest.mark.produces("code_refused")
def test_an_expired_code(stack: Stack) -> None:
    ana = stack.person()
    genuine = approved(ana)
    stack.sandbox.advance(601)  # the sandbox's codes live 10 minutes, our consents an hour
    assert "cause=code_refused" in come_back(ana, **genuine).url
    is_untouched(ana)
    next_consent_works(ana)


def test_a_code_of_another_consent(stack: Stack) -> None:
    """Somebody slips their own code into a victim's consent: PKCE binds the code to the consent it was asked with."""
    ana, mallory = stack.person(), stack.person("mallory")
    theirs, mine = approved(mallory), approved(ana)
    page = come_back(ana, **{**mine, "code": theirs["code"]})
    assert "cause=code_refused" in page.url
    is_untouched(ana)


# -- what a person does there -----------------------------------------------------------------------------------


@pytest.mark.produces("consent_denied")
def test_denied(stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.account(ana.email)
    stack.sandbox.consent(ana.email, decision="deny")
    page = ana.get("/oauth/google/start?capabilities=send&kind=personal&next=/integration")
    assert "cause=consent_denied" in page.url
    assert notice(page).startswith("Not connected. You pressed Cancel at Google. Nothing was connected.")
    is_untouched(ana)
    next_consent_works(ana)


@pytest.mark.produces("nothing_granted")
def test_the_send_box_left_empty(stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.account(ana.email)
    stack.sandbox.consent(ana.email, untick=[SEND])
    page = ana.get("/oauth/google/start?capabilities=send,read&kind=personal")
    assert "cause=nothing_granted" in page.url
    assert "The box that lets Truesend send was not ticked at Google." in notice(page)
    is_untouched(ana)
    next_consent_works(ana)


def test_the_read_box_left_empty(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect(query="capabilities=send,read&kind=personal", untick=[READ])
    send, read = connection["capabilities"]
    assert (send["verdict"], send["cause"]) == ("unproven", "not_tried")
    assert (read["verdict"], read["cause"]) == ("broken", "scope_missing")
    assert (connection["verdict"], connection["fix"]["label"]) == ("broken", "Reconnect")
    page = ana.get("/integration").text
    assert "Sends, but cannot read replies" in page
    assert "Cannot send" not in page
    # It still sends.
    assert ana.email_when(ana.send(connection["id"])["id"], "sent")


@pytest.mark.produces("other_account", says="; the one to reconnect is ")
def test_another_account_on_reconnect(stack: Stack) -> None:
    ana = stack.person()
    before = ana.connect()
    other = f"other-{ana.email}"
    stack.sandbox.account(other)
    stack.sandbox.consent(ana.email, as_account=other)
    page = ana.get(before["fix"]["url"] if "/oauth/" in before["fix"]["url"] else reconnect(before))
    assert "cause=other_account" in page.url
    chose = f"You chose {other}; the one to reconnect is {ana.email}. Nothing was changed."
    assert notice(page).startswith(f"Not reconnected. {chose}")
    (after,) = ana.api("GET", "connections").json()["items"]
    assert (after["address"], after["verdict"]) == (ana.email, "unproven")
    assert ana.email_when(ana.send(after["id"])["id"], "sent")  # the old grant was not touched
    stack.sandbox.consent(ana.email)
    assert f"connected={before['id']}" in ana.get(reconnect(before)).url


def reconnect(connection: dict[str, object]) -> str:
    """Where Reconnect leads."""
    return f"/oauth/google/start?capabilities=send&connection={connection['id']}&next=/integration"


def test_the_fix_of_a_failed_consent_leads_there_again(stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.account(ana.email)
    stack.sandbox.consent(ana.email, decision="deny")
    page = ana.get("/oauth/google/start?capabilities=send,read&kind=personal&test_email=1")
    form = re.search(
        r'role="alert">.*?<form method="get" action="/oauth/google/start">(.*?)</form>', page.text, re.S
    )
    assert form, page.text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
    assert fields == {
        "capabilities": "send,read",
        "kind": "personal",
        "next": "/integration",
        "test_email": "1",
    }
    assert "Try again" in form[1]


def test_the_way_back_to_another_page_tells_too(stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.account(ana.email)
    stack.sandbox.consent(ana.email, decision="deny")
    page = ana.get("/oauth/google/start?capabilities=send&next=/emails")
    assert urlsplit(page.url).path == "/emails"
    assert "You pressed Cancel at Google. Nothing was connected." in html.unescape(page.text)


@pytest.mark.parametrize("error", ["admin_policy_enforced", "server_error", "made_up", "\x00<b>", "x" * 3000])
def test_an_error_sent_to_the_callback(stack: Stack, error: str) -> None:
    ana = stack.person()
    page = come_back(ana, state=approved(ana)["state"], error=error, error_description="\x00\n<i>words</i>")
    cause = {"admin_policy_enforced": "admin_policy", "server_error": "provider_error"}.get(
        error, "provider_refused"
    )
    assert f"cause={cause}" in page.url
    assert notice(page).startswith("Not connected.")
    assert "<i>words" not in page.text
    is_untouched(ana)


# -- the start --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/oauth/google/start?next=//evil.example/x",
        "/oauth/google/start?next=https://evil.example/x",
        "/oauth/google/start?next=%2F%5Cevil.example",
        "/oauth/google/start?next=%00",
        "/oauth/google/start?next=/emails%0d%0aX:1",
        "/oauth/google/start?next=/" + "x" * 600,
        "/oauth/google/start?capabilities=&kind=",
    ],
)
def test_odd_parameters_lead_home(stack: Stack, path: str) -> None:
    ana = stack.person()
    stack.sandbox.account(ana.email)
    stack.sandbox.consent(ana.email)
    page = ana.get(path)
    assert page.status_code == 200
    assert page.url.startswith(f"{stack.url}/integration?connected="), page.url


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("capabilities=evil", "no capability “evil”"),
        ("capabilities=send,evil", "no capability “evil”"),
        ("capabilities=%00", "no capability “ ”"),
        ("kind=foo", "no kind of account “foo”"),
        ("kind=%3Cb%3E", "no kind of account “&lt;b&gt;”"),
    ],
)
def test_what_nobody_can_ask_for(stack: Stack, query: str, said: str) -> None:
    page = stack.person().get(f"/oauth/google/start?{query}", allow_redirects=False)
    assert page.status_code == 400
    assert said in page.text
    assert "Nothing was connected" in page.text


@pytest.mark.parametrize(
    "path", ["nobody/start", "nobody/callback", "google/start?connection=x", "%00/start"]
)
def test_what_does_not_exist(stack: Stack, path: str) -> None:
    assert stack.person().get(f"/oauth/{path}").status_code == 404


def test_two_consents_for_one_new_account_at_the_same_time(stack: Stack) -> None:
    ana = stack.person()
    both = [approved(ana), approved(ana)]
    cookies = ana.jar.cookies.get_dict()

    def once(query: dict[str, str]) -> str:
        url = f"{stack.url}/oauth/google/callback?{urlencode(query)}"
        return requests.get(url, cookies=cookies, allow_redirects=False, timeout=30).headers["Location"]

    with ThreadPoolExecutor(2) as pool:
        ends = set(pool.map(once, both))
    (connection,) = ana.api("GET", "connections").json()["items"]
    assert ends == {f"/integration?connected={connection['id']}"}
