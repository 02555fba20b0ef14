"""Accounts: sign-up, sign-in, passwords and addresses."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from tests.accounts import NEW_PASSWORD, ask_for_reset, form, link_in, mails, set_password, sql, words
from tests.stack import PASSWORD, Stack, until

# -- sign-up ----------------------------------------------------------------------------------------------------


def test_signing_up_makes_an_organization_and_its_owner(stack: Stack) -> None:
    ana = stack.person(organization="Söhne & Co <b>")
    me = ana.api("GET", "me").json()
    assert (me["email"], me["role"], me["organization"]) == (ana.email, "owner", "Söhne & Co <b>")
    assert "Söhne & Co <b>" in words(ana.get("/account"))
    # Who gave no name is called by the address, but has none.
    assert '<input id="name" name="name" value=""' in ana.get("/account").text
    # The address is not verified yet, which bars nothing here.
    assert "Not verified yet" in words(ana.get("/account"))


def test_one_address_signed_up_many_times_at_once_is_one_account(stack: Stack) -> None:
    person = stack.person(signed_up=False)
    jars = [requests.Session() for _ in range(6)]
    for jar in jars:
        jar.get(f"{stack.url}/login", timeout=30)

    def sign_up(jar: requests.Session) -> requests.Response:
        fields = {
            "csrfmiddlewaretoken": jar.cookies["csrftoken"],
            "organization": f"Twice {person.email}",
            "email": person.email,
            "password1": PASSWORD,
        }
        return jar.post(f"{stack.url}/signup", data=fields, timeout=30)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(sign_up, jars))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sum(answer.url.endswith("/integration") for answer in answers) == 1
    for answer in answers:
        if not answer.url.endswith("/integration"):
            assert "already" in words(answer), answer.text
    counted = "SELECT count(*) FROM organizations_organization WHERE name = %s"
    assert sql(stack, counted, f"Twice {person.email}") == [(1,)]
    person.sign_in()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password1": "short"}, "at least 8"),
        ({"password1": "password123"}, "too common"),
        ({"password1": ""}, "required"),
        ({"email": "nobody"}, "valid email"),
        ({"email": "a\x00@b.example"}, "Null characters"),
        ({"email": "a" * 250 + "@b.example"}, "at most 254"),
        ({"organization": ""}, "required"),
        ({"organization": " \u200b\t"}, "organization"),
        ({"organization": "N\x00W"}, "Null characters"),
        ({"organization": "x" * 121}, "at most 120"),
        ({"password1": "ab\x00cdefgh-long"}, "Null characters"),
    ],
)
def test_a_sign_up_that_cannot_be(stack: Stack, changed: dict[str, str], said: str) -> None:
    person = stack.person(signed_up=False)
    fields = {"organization": "N", "email": person.email, "password1": PASSWORD, **changed}
    page = form(stack, requests.Session(), "/signup", **fields)
    assert page.status_code == 200
    assert page.url.endswith("/signup")
    assert said in words(page), words(page)
    assert sql(stack, "SELECT count(*) FROM organizations_user WHERE email = %s", person.email) == [(0,)]


def test_an_address_that_has_an_account(stack: Stack) -> None:
    ana = stack.person()
    address = ana.email.upper()
    page = form(stack, requests.Session(), "/signup", organization="N", email=address, password1=PASSWORD)
    assert "This address has an account already. Sign in with it" in words(page)
    assert page.url.endswith("/signup")
    # Whoever has it hears of that, and how they come in.
    told = until(lambda: [one for one in mails(stack, ana.email) if "tried to sign up" in one], bool, 5)
    assert [link_in(one) for one in told] == [f"{stack.url}/password/reset"]


def test_names_in_every_script_and_as_long_as_they_may_be(stack: Stack) -> None:
    name = "Ω組織🦊" * 30
    assert len(name) == 120
    ana = stack.person(organization=name)
    assert ana.api("GET", "me").json()["organization"] == name
    ana.post("/account", {"name": "Zoë\x00\r\nBcc: x\u202e " + "é" * 300})
    shown = ana.api("GET", "me").json()["name"]
    assert shown.startswith("Zoë Bcc: x")
    assert len(shown) == 120
    assert "\u202e" not in shown


# -- signing in and out -----------------------------------------------------------------------------------------


def test_signing_out_ends_the_session(stack: Stack) -> None:
    ana = stack.person()
    cookie = ana.jar.cookies["truesend_session"]
    ana.post("/logout")
    assert ana.get("/emails").url.startswith(f"{stack.url}/login")
    kept = requests.get(f"{stack.url}/emails", cookies={"truesend_session": cookie}, timeout=30)
    assert kept.url.startswith(f"{stack.url}/login")
    ana.sign_in()
    assert ana.get("/emails").url == f"{stack.url}/emails"


def test_signing_in_with_the_wrong_password_or_address_reads_the_same(stack: Stack) -> None:
    ana = stack.person()
    told = []
    for login, password in ((ana.email, "wrong-password"), ("nobody@northwind.example", PASSWORD)):
        page = form(stack, requests.Session(), "/login", login=login, password=password)
        assert page.url.endswith("/login")
        told.append(re.sub(re.escape(login), "", words(page)))
    assert told[0] == told[1]


def test_signing_in_leads_back_here_and_nowhere_else(stack: Stack) -> None:
    ana = stack.person()
    fields = {"login": ana.email, "password": PASSWORD}
    assert form(stack, requests.Session(), "/login?next=/account", **fields).url.endswith("/account")
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example"):
        page = form(stack, requests.Session(), "/login", next=evil, **fields)
        assert page.url == f"{stack.url}/emails"


# -- passwords and addresses by mail ----------------------------------------------------------------------------


def test_a_password_is_reset_by_mail(stack: Stack) -> None:
    ana = stack.person()
    old_session = ana.jar.cookies["truesend_session"]
    link = link_in(ask_for_reset(stack, ana.email))
    assert link.startswith(f"{stack.url}/password/reset/key/")
    # The link works where the mail is read: in the sandbox's mailbox, by any browser.
    assert set_password(stack, link).status_code == 200
    fields = {"login": ana.email, "password": NEW_PASSWORD}
    assert form(stack, requests.Session(), "/login", **fields).url.endswith("/emails")
    old = form(stack, requests.Session(), "/login", login=ana.email, password=PASSWORD)
    assert old.url.endswith("/login")
    # Sessions from before are over.
    page = requests.get(f"{stack.url}/emails", cookies={"truesend_session": old_session}, timeout=30)
    assert "/login" in page.url
    # The link has been used.
    again = set_password(stack, link, "third-horse-11")
    assert again.status_code == 200
    assert 'name="password1"' not in again.text
    assert form(stack, requests.Session(), "/login", **fields).url.endswith("/emails")


def test_an_older_reset_link_dies_with_the_password(stack: Stack) -> None:
    ana = stack.person()
    first = link_in(ask_for_reset(stack, ana.email))
    second = link_in(ask_for_reset(stack, ana.email))
    set_password(stack, second)
    assert 'name="password1"' not in set_password(stack, first, "third-horse-11").text


def test_resetting_tells_nobody_whether_an_address_has_an_account(stack: Stack) -> None:
    ana = stack.person()
    pages = [
        words(form(stack, requests.Session(), "/password/reset", email=address))
        for address in (ana.email, f"nobody-{ana.email}")
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded"])
def test_a_forged_host_never_gets_into_a_mail(stack: Stack, header: str) -> None:
    ana = stack.person()
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    jar = requests.Session()
    jar.get(f"{stack.url}/login", timeout=30)
    fields = {"csrfmiddlewaretoken": jar.cookies["csrftoken"], "email": ana.email}
    cookie = f"csrftoken={jar.cookies['csrftoken']}"
    for path in ("/password/reset", "/signup"):
        requests.post(
            stack.url + path,
            data={**fields, "organization": "x", "password1": PASSWORD},
            headers={header: value, "Cookie": cookie},
            allow_redirects=False,
            timeout=30,
        )
    page = requests.get(stack.url + "/login", headers={header: value}, allow_redirects=False, timeout=30)
    assert "evil.example" not in page.text + page.headers.get("Location", "")
    ask_for_reset(stack, ana.email)
    assert not any("evil.example" in text for text in mails(stack, ana.email))


def test_an_address_is_verified_by_mail(stack: Stack) -> None:
    ana = stack.person()
    (text,) = until(lambda: mails(stack, ana.email), lambda found: len(found) == 1, 5)
    link = link_in(text)
    assert link.startswith(f"{stack.url}/confirm-email/")
    # A mail program that looks at the link verifies nothing.
    requests.get(link, timeout=30)
    assert "Not verified yet" in words(ana.get("/account"))
    ana.post(link.removeprefix(stack.url))
    assert "Not verified yet" not in words(ana.get("/account"))


def test_no_mail_can_smuggle_in_a_header(stack: Stack) -> None:
    jar = requests.Session()
    page = form(stack, jar, "/password/reset", email="a@b.example\r\nBcc: evil@evil.example")
    assert page.status_code == 200
    assert stack.sandbox.messages(to="evil@evil.example") == []
