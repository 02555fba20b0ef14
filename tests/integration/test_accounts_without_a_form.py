"""Accounts: links and tokens, the command line, and installations that limit guessing or have no mail."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from tests import stack as stacks
from tests import up
from tests.accounts import form, sql, words
from tests.stack import PASSWORD, Person, Stack

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
    stack.sandbox.advance(3540)  # a minute is left for a machine that is busy with other things
    assert requests.get(late, timeout=30).status_code == 200
    stack.sandbox.advance(61)
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
    told = (
        "SELECT e.actor_email, e.words FROM organizations_auditentry e JOIN organizations_organization o"
        " ON o.id = e.organization_id WHERE o.name = %s AND e.action = 'member.joined' AND e.about = %s"
    )
    assert sql(stack, told, unique, two.email) == [("", "user")]
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
