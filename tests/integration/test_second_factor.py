"""Second factors by pages: set up, asked for, used once, lost; and an organization that wants them of its managers."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import requests
from tests.accounts import mails, sql, words
from tests.factors import PAGE, Phone, add_app, anew, confirm, halfway, verify
from tests.reader import Reader
from tests.stack import PASSWORD, Person, Stack, until


@pytest.fixture
def ana(stack: Stack) -> Person:
    """An owner whose address is verified."""
    person = stack.person(organization=f"Safe {uuid4()}")
    verify(stack, person)
    return person


def noted(stack: Stack, of: Person) -> list[str]:
    rows = sql(
        stack, "SELECT action FROM organizations_auditentry WHERE actor_email = %s ORDER BY at", of.email
    )
    return [str(action) for (action,) in rows]


NO_PASSKEYS = (
    "",
    "{}",
    "[]",
    "null",
    "x",
    "[" * 5000,
    '{"id": 1}',
    '{"response": {"userHandle": "x"}}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30", "authenticatorData": "AA",'
    ' "signature": "AA", "userHandle": "MQ"}, "clientExtensionResults": {}}',
)


# -- one's own --------------------------------------------------------------------------------------------------


def test_an_app_is_set_up_asked_for_and_taken_away(stack: Stack, ana: Person) -> None:
    assert "None" in words(ana.get("/account"))
    # Who is at the keyboard is asked first.
    assert "/reauthenticate" in ana.get(f"{PAGE}/app").url
    phone = add_app(ana)
    # The codes are shown once.
    assert phone.codes[0] not in ana.get(f"{PAGE}/codes").text
    other = halfway(ana)
    for path in ("/emails", "/account", PAGE):
        assert other.get(path).url.startswith(f"{stack.url}/login"), path
    signed_in = other.post("/login/second-factor", {"code": phone.code(1)})
    assert signed_in.url == f"{stack.url}/emails"
    # What the database holds is sealed.
    kept = sql(stack, "SELECT data::text FROM mfa_authenticator m JOIN organizations_user u ON u.id = m.user_id"
                      " WHERE u.email = %s", ana.email)  # fmt: skip
    assert len(kept) == 2
    assert phone.secret not in str(kept)
    before = sql(stack, "SELECT count(*) FROM organizations_factorsecret")[0][0]
    assert "Remove the app?" in words(ana.get(f"{PAGE}/app/remove"))
    ana.post(f"{PAGE}/app/remove")
    assert sql(stack, "SELECT count(*) FROM organizations_factorsecret")[0][0] == before - 2
    fresh = Person(stack, ana.email, ana.organization)
    fresh.sign_in()
    assert noted(stack, ana) == ["sign_in.app_added", "sign_in.app_removed"]
    told = until(lambda: mails(stack, ana.email), lambda found: len(found) >= 3, 5)
    assert sum("authenticator app was set up" in one for one in told) >= 1
    assert any("was removed" in one for one in told)


def test_a_code_serves_once(stack: Stack, ana: Person) -> None:
    phone = add_app(ana)
    wrong = "That is not right, or it was used before."
    # The one that set it up has served; so has each one that came after, for everybody.
    assert wrong in words(halfway(ana).post("/login/second-factor", {"code": phone.code()}))
    code = phone.code(1)
    assert halfway(ana).post("/login/second-factor", {"code": code}).url.endswith("/emails")
    assert wrong in words(halfway(ana).post("/login/second-factor", {"code": code}))
    # An older one that was never used is behind it.
    assert wrong in words(halfway(ana).post("/login/second-factor", {"code": phone.code()}))
    anew(stack, ana)
    people = [halfway(ana) for _ in range(4)]
    code = phone.code()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: one.post("/login/second-factor", {"code": code}), people))
    assert sum(answer.url.endswith("/emails") for answer in answers) == 1
    # Nor for showing once more who one is.
    assert wrong in words(ana.post("/reauthenticate/code", {"code": code}))


def test_a_recovery_code_serves_once_and_is_written_down(stack: Stack, ana: Person) -> None:
    phone = add_app(ana)
    code = phone.codes[3]
    assert halfway(ana).post("/login/second-factor", {"code": code}).url.endswith("/emails")
    assert "used before" in words(halfway(ana).post("/login/second-factor", {"code": code}))
    assert "9 left" in words(ana.get(PAGE))
    assert noted(stack, ana)[-1] == "sign_in.code_used"
    # New ones end the old ones.
    ana.post(f"{PAGE}/codes/new")
    assert "used before" in words(halfway(ana).post("/login/second-factor", {"code": phone.codes[4]}))
    assert "10 left" in words(ana.get(PAGE))


@pytest.mark.parametrize("code", ["", "000000", "x" * 500, "１２３４５６", "-1", "\x00", "' OR 1=1"])
def test_what_is_no_code_lets_nobody_in(stack: Stack, ana: Person, code: str) -> None:
    add_app(ana)
    other = halfway(ana)
    page = other.post("/login/second-factor", {"code": code})
    assert page.status_code == 200
    assert page.url.endswith("/login/second-factor")
    for credential in NO_PASSKEYS:
        page = other.post("/login/second-factor", {"credential": credential})
        assert page.status_code == 200
        assert page.url.endswith("/login/second-factor")
    assert other.get("/emails").url.startswith(f"{stack.url}/login")


@pytest.mark.parametrize("credential", NO_PASSKEYS, ids=range(len(NO_PASSKEYS)))
def test_what_is_no_passkey_signs_nobody_in(stack: Stack, credential: str) -> None:
    nobody = Person(stack, "", "")
    answer = nobody.post("/login/passkey", {"credential": credential})
    assert answer.status_code == 200
    assert answer.url.startswith(f"{stack.url}/login")
    assert nobody.get("/emails").url.startswith(f"{stack.url}/login")


def test_halfway_in_is_not_in(stack: Stack, ana: Person) -> None:
    """The page for the second factor is for whoever has typed the password in that browser; a new key comes with it."""
    add_app(ana)
    nobody = Person(stack, "", "")
    assert nobody.get("/login/second-factor").url.startswith(f"{stack.url}/login")
    other = Person(stack, ana.email, ana.organization)
    other.get("/login")
    other.jar.cookies.set("truesend_session", "f" * 32, domain="localhost.local", path="/")
    other.post("/login", {"login": ana.email, "password": PASSWORD})
    assert "f" * 32 not in other.jar.cookies.get_dict().values()
    stream = requests.get(f"{stack.url}/api/v1/events", cookies=other.jar.cookies.get_dict(), timeout=10)
    assert stream.status_code == 401


def test_an_address_that_is_not_verified_gets_no_second_factor(stack: Stack) -> None:
    """Or whoever signs up with somebody else's address would keep them out for good."""
    person = stack.person()
    person.post("/reauthenticate", {"password": PASSWORD, "next": PAGE})
    for path in (f"{PAGE}/app", f"{PAGE}/passkeys/add"):
        page = person.get(path)
        assert page.url == stack.url + PAGE
        assert "Your address is not verified yet" in words(page)


def test_anothers_passkey_is_nobodys(stack: Stack, ana: Person) -> None:
    eve = stack.person("eve", "Elsewhere")
    owner = "FROM organizations_user WHERE email = %s"
    data = '{"name": "mine", "credential": {}}'
    made = f"SELECT id, 'webauthn', %s::jsonb, now() {owner}"
    sql(stack, f"INSERT INTO mfa_authenticator (user_id, type, data, created_at) {made}", data, ana.email)
    found = sql(stack, f"SELECT id FROM mfa_authenticator WHERE user_id IN (SELECT id {owner})", ana.email)
    confirm(eve)
    for path in (f"{PAGE}/passkeys/{found[0][0]}", f"{PAGE}/passkeys/{found[0][0]}/remove"):
        assert eve.get(path).status_code == 404
        assert eve.post(path, {"name": "stolen"}).status_code == 404
    assert "mine" not in eve.get(PAGE).text


# -- an organization that wants them -----------------------------------------------------------------------------


@pytest.fixture
def wanted(stack: Stack, ana: Person) -> tuple[Person, Phone]:
    phone = add_app(ana)
    ana.post(f"{PAGE}/required", {"required": "on"})
    return ana, phone


def test_who_needs_one_is_led_there_and_to_nothing_else(stack: Stack, ana: Person) -> None:
    manager, user = stack.member_of(ana, "manager"), stack.member_of(ana, "user")
    tokens = [one.bearer for one in (manager, user)]
    connection = ana.connect(f"shared-{ana.email}", "capabilities=send&kind=organization")
    with Reader(stack, manager) as by_session, Reader(stack, manager, bearer=tokens[0]) as by_token, Reader(
        stack, user
    ) as of_user:  # fmt: skip
        add_app(ana)
        assert "Saved." in words(ana.post(f"{PAGE}/required", {"required": "on"}))
        assert by_session.ends(5)
        assert by_token.ends(5)
        assert not of_user.ended
    for path in ("/emails", "/account", "/integration", "/settings/audit", "/diagnostics", "/emails/new"):
        assert manager.get(path).url == stack.url + PAGE, path
    assert "Owners and managers of" in words(manager.get(PAGE))
    refused = manager.post(f"/connections/{connection['id']}/disconnect")
    assert refused.status_code == 403
    assert "A second factor first" in words(refused)
    refused = manager.post("/account/tokens", {"name": "another"})
    assert "ts_" not in refused.text
    for method, path in (
        ("GET", "me"),
        ("GET", "connections"),
        ("POST", f"connections/{connection['id']}/disconnect"),
    ):
        problem = manager.api(method, path, {})
        assert (problem.status_code, problem.json()["code"]) == (403, "second_factor_required")
        assert problem.json()["fix"]["url"] == PAGE
    answer = requests.get(
        f"{stack.url}/api/v1/events", headers={"Authorization": f"Bearer {tokens[0]}"}, timeout=10
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert ana.connection(connection["id"])["verdict"] in {"unproven", "working"}
    # A user is asked for nothing.
    assert user.get("/emails").url == f"{stack.url}/emails"
    assert user.api("GET", "me").status_code == 200
    # Once there is one everything is as before, by page and by token.
    add_app(manager)
    assert manager.get("/emails").url == f"{stack.url}/emails"
    assert manager.api("GET", "me").status_code == 200
    # And gone with it.
    manager.post(f"{PAGE}/app/remove")
    assert manager.get("/emails").url == stack.url + PAGE


def test_who_may_ask_for_it(stack: Stack, wanted: tuple[Person, Phone]) -> None:
    ana, _ = wanted
    manager, user = stack.member_of(ana, "user"), stack.member_of(ana, "user")
    sql(stack, "UPDATE organizations_member m SET role = 'manager' FROM organizations_user u"
               " WHERE u.id = m.user_id AND u.email = %s", manager.email)  # fmt: skip
    assert manager.get("/account").url == stack.url + PAGE  # with the role comes the need
    add_app(manager)
    for person in (manager, user):
        refused = person.post(f"{PAGE}/required")
        assert refused.status_code == 403
        assert ana.email in refused.text
    assert 'name="required"' not in user.get("/settings/organization").text
    ana.post(f"{PAGE}/required", {})
    ana.post(f"{PAGE}/required", {})
    assert noted(stack, ana) == [
        "sign_in.app_added", "organization.second_factor", "organization.second_factor",
    ]  # fmt: skip


def test_an_owner_sets_up_their_own_first(stack: Stack, ana: Person) -> None:
    page = ana.post(f"{PAGE}/required", {"required": "on"})
    assert "set up your own second factor first" in words(page)
    assert ana.get("/emails").url == f"{stack.url}/emails"


def test_lost_factors_are_taken_away_on_the_command_line(stack: Stack, wanted: tuple[Person, Phone]) -> None:
    ana, phone = wanted
    with Reader(stack, ana) as stream:
        done = stack.up.run("user", "forget-factors", "--email", ana.email)
        assert (done.returncode, "with the password alone" in done.stdout) == (0, True), done.stderr
        assert stream.ends(10)  # an owner without one is let into nothing, where one is wanted
    other = Person(stack, ana.email, ana.organization)
    other.sign_in()
    assert other.get("/emails").url == stack.url + PAGE
    add_app(other)
    assert "Lost factors were taken away" in words(other.get("/settings/audit"))
    assert phone.codes[0] not in other.get(PAGE).text
    for address in ("nobody@northwind.example", f"x{ana.email}"):
        assert stack.up.run("user", "forget-factors", "--email", address).returncode == 1
    eve = stack.person("eve", "Elsewhere")
    assert "has no second factor" in stack.up.run("user", "forget-factors", "--email", eve.email).stdout


def test_a_sign_in_link_helps_whoever_has_lost_everything(stack: Stack, wanted: tuple[Person, Phone]) -> None:
    """It is made by whoever holds the machine; what was lost is then taken away with the password."""
    ana, _ = wanted
    done = stack.up.run("user", "link", "--email", ana.email)
    assert done.returncode == 0
    link = re.search(r"(/sign-in/\S+)", done.stdout)
    assert link
    other = Person(stack, ana.email, ana.organization)
    assert other.post(link[1]).url == f"{stack.url}/emails"
    confirm(other)
    other.post(f"{PAGE}/app/remove")
    add_app(other)
    assert other.get("/emails").url == f"{stack.url}/emails"
