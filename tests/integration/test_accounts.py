"""Accounts: sign-up, sign-in, passwords, addresses, links and tokens."""

from __future__ import annotations

import base64
import email
import email.policy
import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import requests
from tests import stack as stacks
from tests import up
from tests.stack import PASSWORD, Person, Stack, until

NEW_PASSWORD = "another-horse-10"


def mails(stack: Stack, address: str) -> list[str]:
    """The texts of the system's mail to an address, oldest first."""
    texts = []
    for item in stack.sandbox.messages(to=address):
        if item["provider"] == "google":
            continue
        raw = item["raw"].encode("utf-8", "surrogateescape")
        message = email.message_from_bytes(raw, policy=email.policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        texts.append(f"Subject: {message['Subject']}\n{body.get_content()}")
    return texts


def link_in(text: str) -> str:
    found = re.search(r"https?://\S+", text)
    assert found, text
    return found[0]


def sql(stack: Stack, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the database of a stack says."""
    with psycopg.connect((stack.up.data / "run" / "database_url").read_text().strip()) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def form(stack: Stack, jar: requests.Session, path: str, **fields: str) -> requests.Response:
    """A form posted by somebody without an account."""
    jar.get(f"{stack.url}/login", timeout=30)
    fields["csrfmiddlewaretoken"] = jar.cookies["csrftoken"]
    return jar.post(stack.url + path, data=fields, timeout=30)


def words(page: requests.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


# -- sign-up ----------------------------------------------------------------------------------------------------


def test_signing_up_makes_an_organization_and_its_owner(stack: Stack) -> None:
    ana = stack.person(organization="Söhne & Co <b>")
    me = ana.api("GET", "me").json()
    assert (me["email"], me["role"], me["organization"]) == (ana.email, "owner", "Söhne & Co <b>")
    assert "Söhne & Co <b>" in words(ana.get("/account"))
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
    assert "already" in words(page)
    assert page.url.endswith("/signup")


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


def ask_for_reset(stack: Stack, address: str) -> str:
    before = len(mails(stack, address))
    page = form(stack, requests.Session(), "/password/reset", email=address)
    assert "Look in your mailbox" in words(page)
    assert not re.search(r"/password/reset/key/\w+-", page.text)  # no secret on the requester's screen
    found = until(lambda: mails(stack, address), lambda texts: len(texts) > before, 5)
    return str(found[-1])


def set_password(stack: Stack, link: str, password: str = NEW_PASSWORD) -> requests.Response:
    jar = requests.Session()
    page = jar.get(link, timeout=30)
    if 'name="password1"' not in page.text:
        return page
    fields = {"csrfmiddlewaretoken": jar.cookies["csrftoken"], "password1": password, "password2": password}
    return jar.post(page.url, data=fields, timeout=30)


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


# -- links and tokens by the command line -----------------------------------------------------------------------


def by_link(stack: Stack, person: Person) -> str:
    done = stack.up.run("user", "link", "--email", person.email)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def use_link(link: str) -> requests.Response:
    jar = requests.Session()
    page = jar.get(link, timeout=30)
    if page.status_code != 200:
        return page
    return jar.post(link, data={"csrfmiddlewaretoken": jar.cookies["csrftoken"]}, timeout=30)


def test_a_sign_in_link_works_once_and_within_an_hour(stack: Stack) -> None:
    ana = stack.person()
    link = by_link(stack, ana)
    requests.get(link, timeout=30)  # looking at it does not use it up
    assert use_link(link).url == f"{stack.url}/emails"
    again = use_link(link)
    assert (again.status_code, "This link has been used or is too old" in words(again)) == (400, True)
    late = by_link(stack, ana)
    stack.sandbox.advance(3599)
    assert requests.get(late, timeout=30).status_code == 200
    stack.sandbox.advance(2)
    assert use_link(late).status_code == 400


def test_a_sign_in_link_used_twice_at_once_signs_in_once(stack: Stack) -> None:
    link = by_link(stack, stack.person())
    with ThreadPoolExecutor(4) as pool:
        ends = sorted(answer.status_code for answer in pool.map(use_link, [link] * 4))
    assert ends == [200, 400, 400, 400]


@pytest.mark.parametrize("changed", ["x", "WzEsMV0:1abcde:xxxxxxxx", "%00", "é"])
def test_a_forged_sign_in_link(stack: Stack, changed: str) -> None:
    assert requests.get(f"{stack.url}/sign-in/{changed}", timeout=30).status_code == 400


def test_accounts_by_the_command_line(stack: Stack) -> None:
    ana = stack.person(organization="Commanded")

    def create(address: str, organization: str, *more: str) -> tuple[int, str]:
        done = stack.up.run(
            "user",
            "create",
            "--email",
            address,
            "--password",
            PASSWORD,
            "--organization",
            organization,
            *more,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    unique = f"Only {ana.email}"
    assert create(f"one-{ana.email}", unique) == (0, f"Created one-{ana.email} (owner) in {unique}.\n")
    code, said = create(f"two-{ana.email}", unique, "--role", "user")
    assert (code, said) == (0, f"Created two-{ana.email} (user) in {unique}, which was there already.\n")
    assert create(f"ONE-{ana.email}", unique)[0] == 1
    assert create(f"three-{ana.email}", "x" * 121)[0] == 1
    assert create("no address", unique)[0] == 1
    two = stack.person(signed_up=False)
    two.email = f"two-{ana.email}"
    two.sign_in()
    assert "Not verified yet" not in words(two.get("/account"))
    assert two.api("GET", "me").json()["role"] == "user"
    # Anybody can sign up an organization of any name: nobody is put into a stranger's.
    same = f"Same {ana.email}"
    stack.person(organization=same)
    stack.person(organization=same)
    assert create(f"four-{ana.email}", same, "--role", "user")[0] == 1
    assert create(f"five-{ana.email}", same)[0] == 0
    assert sql(stack, "SELECT count(*) FROM organizations_organization WHERE name = %s", same) == [(3,)]


def test_tokens_are_shown_once_hashed_and_revocable(stack: Stack) -> None:
    ana = stack.person()
    secret = ana.bearer
    assert secret not in ana.get("/account").text
    rows = sql(
        stack,
        "SELECT t.id, t.digest, t.start FROM organizations_apitoken t JOIN organizations_member m"
        " ON m.id = t.member_id JOIN organizations_user u ON u.id = m.user_id WHERE u.email = %s",
        ana.email,
    )
    ((token_id, digest, start),) = rows
    assert secret.startswith(start)
    assert len(start) < 12
    assert secret.encode() not in bytes(digest)
    assert base64.b64encode(digest)
    assert ana.api("GET", "me").status_code == 200
    ben = stack.person("ben")
    ben.post(f"/account/tokens/{token_id}/revoke")
    assert ana.api("GET", "me").status_code == 200  # not his to revoke
    ana.post(f"/account/tokens/{token_id}/revoke")
    refused = ana.api("GET", "me")
    assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer ts_forged", "Basic dHM6eA==", "Bearer \xff\xfe"]
)
def test_forged_tokens(stack: Stack, header: str) -> None:
    answer = requests.get(
        f"{stack.url}/api/v1/me", headers={"Authorization": header.encode("latin-1")}, timeout=30
    )
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_who_is_switched_off_or_deleted_loses_sessions_and_tokens(stack: Stack) -> None:
    for statement in (
        "UPDATE organizations_user SET is_active = false WHERE email = %s",
        "DELETE FROM organizations_member m USING organizations_user u WHERE u.id = m.user_id AND u.email = %s",
    ):
        ana = stack.person()
        link = by_link(stack, ana)
        assert ana.api("GET", "me").status_code == 200
        if statement.startswith("DELETE"):
            for table in ("apitoken", "seenfrom"):
                sql(
                    stack,
                    f"DELETE FROM organizations_{table} t USING organizations_member m, organizations_user u"
                    " WHERE m.id = t.member_id AND u.id = m.user_id AND u.email = %s",
                    ana.email,
                )
        sql(stack, statement, ana.email)
        assert ana.api("GET", "me").status_code == 401
        for path in ("/emails", "/oauth/google/start", "/account"):
            page = ana.get(path)
            assert "/login" in page.url or (page.status_code, "belong to no organization" in words(page)) == (
                403,
                True,
            )
        if "is_active" in statement:
            assert "/login" in page.url
            assert use_link(link).status_code == 400
            page = form(stack, requests.Session(), "/login", login=ana.email, password=PASSWORD)
            assert "/emails" not in page.url


# -- installations of other kinds -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with guess limits, as outside dev, whose mail server does not answer."""
    data = tmp_path_factory.mktemp("strict") / "data"
    settings = {"TRUESEND_GUESS_LIMITS": "on", "TRUESEND_EMAIL_URL": "smtp://localhost:1"}
    with stacks.running(data, settings=settings) as running:
        yield running
    up.remove(data)


def test_guessing_is_limited_over_all_browsers(strict: Stack) -> None:
    ana = strict.person()
    statuses = []
    for _ in range(12):
        page = form(strict, requests.Session(), "/login", login=ana.email, password="wrong-password")
        statuses.append((page.status_code, "too many" in words(page).lower()))
    assert (200, False) in statuses
    assert statuses[-1][1], statuses
    # The right password no longer helps either, for a while.
    page = form(strict, requests.Session(), "/login", login=ana.email, password=PASSWORD)
    assert "/emails" not in page.url
    # And the session she has goes on.
    assert ana.get("/emails").url.endswith("/emails")


def test_guess_limits_are_off_in_dev(stack: Stack) -> None:
    ana = stack.person()
    for _ in range(12):
        form(stack, requests.Session(), "/login", login=ana.email, password="wrong-password")
    ana.sign_in()


def test_a_mail_server_that_fails_is_no_error_page(strict: Stack) -> None:
    ana = strict.person()  # signed up, although the mail to verify the address could not leave
    assert ana.get("/integration").status_code == 200
    page = form(strict, requests.Session(), "/password/reset", email=ana.email)
    assert page.status_code == 200
    assert "Our mail could not be sent." in words(page)


def test_without_system_mail_only_the_command_line_helps(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("mute") / "data"
    with up.running(data, sandbox=False) as running:
        stack = Stack(running, None)  # type: ignore[arg-type]
        ana = stack.person()
        page = form(stack, requests.Session(), "/password/reset", email=ana.email)
        assert page.status_code == 200
        assert not re.search(r"/(password/reset/key|sign-in|confirm-email)/[\w:-]+", page.text)
        assert "This installation sends no mail of its own" in words(ana.get("/account"))
        ana.post("/logout")
        assert use_link(by_link(stack, ana)).url == f"{stack.url}/emails"
        ana.sign_in()
        # No provider is set up either, and both the page and the way there say so.
        assert "Not set up here" in words(ana.get("/integration"))
        page = ana.get("/oauth/google/start")
        assert "cause=client_missing" in page.url
        assert "This installation has no Google credentials. Nothing was connected." in words(page)
        assert f"Who can help: {ana.email}" in words(page)  # the first account is the operator
    up.remove(data)
