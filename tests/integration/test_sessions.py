"""Sessions: where one is signed in, ending one, ending all, and what passwords and addresses do to them."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
import requests
from tests.accounts import NEW_PASSWORD, ask_for_reset, link_in, mails, set_password, sql, words
from tests.factors import add_app, halfway, verify
from tests.reader import Reader
from tests.stack import PASSWORD, Person, Stack, until

PAGE = "/account/sessions"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person(organization=f"Sessions {uuid4()}")


def another(person: Person, agent: str = FIREFOX) -> Person:
    """The same person at another browser."""
    other = Person(person.stack, person.email, person.organization, requests.Session())
    other.jar.headers["User-Agent"] = agent
    other.sign_in()
    return other


def rows(person: Person) -> list[str]:
    """The addresses of the buttons “Sign out there”."""
    return re.findall(rf"{PAGE}/\d+/end", person.get(PAGE).text)


def is_in(person: Person) -> bool:
    return person.get("/emails").url == f"{person.stack.url}/emails"


def noted(stack: Stack, of: Person) -> list[tuple[str, str]]:
    found = sql(
        stack,
        "SELECT action, about FROM organizations_auditentry WHERE actor_email = %s ORDER BY at",
        of.email,
    )
    return [(str(action), str(about)) for action, about in found]


def test_where_one_is_signed_in(stack: Stack, ana: Person) -> None:
    assert rows(ana) == []  # this one has no such button
    other = another(ana)
    page = ana.get(PAGE)
    assert "2 browsers" in words(page)
    assert "Firefox on Windows" in words(page)
    assert "from 127.0.0.1" in words(page)
    assert "This one" in words(page)
    # No key of a session is shown, to anybody.
    for person in (ana, other):
        assert person.jar.cookies["truesend_session"] not in page.text
    eve = stack.person("eve", "Elsewhere")
    assert "1 browser" in words(eve.get(PAGE))
    assert eve.post(rows(ana)[0]).status_code == 404
    assert is_in(other)


def test_one_is_ended_and_its_streams_with_it(stack: Stack, ana: Person) -> None:
    other, third = another(ana), another(ana)
    assert is_in(other)
    rows(ana)
    with Reader(stack, other) as theirs, Reader(stack, third) as stays:
        shown = sql(stack, "SELECT id FROM organizations_signedin WHERE session_key = %s",
                    other.jar.cookies["truesend_session"])  # fmt: skip
        assert f"{PAGE}/{shown[0][0]}/end" in rows(ana)
        answer = ana.post(f"{PAGE}/{shown[0][0]}/end")
        assert "Signed out there." in words(answer)
        assert theirs.ends(10)
        assert not stays.ended
    assert not is_in(other)
    assert is_in(third)
    assert is_in(ana)
    assert ana.post(f"{PAGE}/{shown[0][0]}/end").status_code == 404
    assert ("sign_in.session_ended", "") in noted(stack, ana)


def test_everywhere_is_everywhere(stack: Stack, ana: Person) -> None:
    """Also a session that no list knows; tokens go on, and so does who signs in anew."""
    other = another(ana)
    bearer = ana.bearer
    unlisted = another(ana)
    sql(stack, "DELETE FROM organizations_signedin WHERE session_key = %s",
        unlisted.jar.cookies["truesend_session"])  # fmt: skip
    open_ones = (Reader(stack, other), Reader(stack, unlisted), Reader(stack, ana))
    with open_ones[0], open_ones[1], open_ones[2], Reader(stack, ana, bearer=bearer) as script:
        answer = ana.post(f"{PAGE}/end")
        assert "You are signed out everywhere." in words(answer)
        assert [one.ends(10) for one in open_ones] == [True] * 3
        assert not script.ended
    for person in (ana, other, unlisted):
        assert not is_in(person)
    assert ana.api("GET", "me").status_code == 200
    ana.sign_in()
    assert is_in(ana)
    assert ("sign_in.everywhere_ended", "") in noted(stack, ana)


def test_ending_this_one_by_its_own_button_signs_out(stack: Stack, ana: Person) -> None:
    another(ana)
    rows(ana)
    shown = sql(stack, "SELECT id FROM organizations_signedin WHERE session_key = %s",
                ana.jar.cookies["truesend_session"])  # fmt: skip
    assert ana.post(f"{PAGE}/{shown[0][0]}/end").url == f"{stack.url}/login"
    assert not is_in(ana)


def test_signing_out_ends_its_open_pages(stack: Stack, ana: Person) -> None:
    with Reader(stack, ana) as stream:
        ana.post("/logout")
        assert stream.ends(10)
    kept = requests.Session()
    kept.cookies.update(ana.jar.cookies)
    assert kept.get(f"{stack.url}/emails", timeout=30).url.startswith(f"{stack.url}/login")


def test_a_new_password_ends_every_other_session(stack: Stack, ana: Person) -> None:
    other = another(ana)
    with Reader(stack, other) as theirs:
        fields = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        ana.post("/password/change", fields)
        assert theirs.ends(10)
    assert not is_in(other)
    assert is_in(ana)
    assert "1 browser" in words(ana.get(PAGE))
    assert ("sign_in.password_changed", "") in noted(stack, ana)
    told = until(lambda: mails(stack, ana.email), lambda found: len(found) >= 2, 5)
    (text,) = [one for one in told if "password of your account" in one]
    assert re.search(r"It was asked for at \d{1,2} [A-Z][a-z]+ 20\d\d, \d\d:\d\d UTC from ", text)
    # By a link that was mailed, the one it was asked for in as well.
    with Reader(stack, ana) as mine:
        set_password(stack, link_in(ask_for_reset(stack, ana.email)), "third-horse-11")
        assert mine.ends(10)
    assert not is_in(ana)


def test_signing_in_brings_a_new_key_at_every_step(stack: Stack, ana: Person) -> None:
    """Fixation: whoever knew or planted the key of before knows nothing of the session after."""
    planted = "a" * 32
    victim = Person(stack, ana.email, ana.organization, requests.Session())
    victim.jar.cookies.set("truesend_session", planted, domain="localhost.local", path="/")
    victim.sign_in()
    assert planted not in [one.value for one in victim.jar.cookies]
    verify(stack, ana)
    phone = add_app(ana)
    victim = halfway(ana)
    before = victim.jar.cookies["truesend_session"]
    assert victim.post("/login/second-factor", {"code": phone.codes[0]}).url == f"{stack.url}/emails"
    assert victim.jar.cookies["truesend_session"] != before
    for known in (planted, before):
        asked = requests.get(f"{stack.url}/account", cookies={"truesend_session": known}, timeout=30)
        assert asked.url.startswith(f"{stack.url}/login")
        assert ana.email not in asked.text


# -- addresses --------------------------------------------------------------------------------------------------


def confirmed(person: Person) -> None:
    person.post("/reauthenticate", {"password": PASSWORD, "next": "/email"})


def test_another_address_counts_once_it_is_verified_and_both_are_told(stack: Stack, ana: Person) -> None:
    verify(stack, ana)
    new = f"new-{ana.email}"
    # Who is at the keyboard is asked first.
    assert "/reauthenticate" in ana.post("/email", {"email": new, "action_add": ""}).url
    confirmed(ana)
    ana.post("/email", {"email": new.upper(), "action_add": ""})
    page = ana.post("/email", {"email": new, "action_primary": ""})
    assert "Verified" in words(page)
    assert ana.api("GET", "me").json()["email"] == ana.email  # not verified, so nothing has changed
    (text,) = until(lambda: [one for one in mails(stack, new) if "/confirm-email/" in one], bool, 5)
    assert "signed up" not in text
    ana.post(link_in(text).removeprefix(stack.url))
    old, ana.email = ana.email, new
    ana.post("/email", {"email": new, "action_primary": ""})
    assert ana.api("GET", "me").json()["email"] == new
    for address in (old, new):
        found = until(lambda: mails(stack, address), lambda all_: "address was changed" in all_[-1], 5)  # noqa: B023
        assert new in found[-1]
        assert old in found[-1]
    assert ("sign_in.address_changed", f"{old} → {new}") in noted(stack, ana)
    # The old one is removed, and signs in nobody.
    ana.post("/email", {"email": old, "action_remove": ""})
    nobody = Person(stack, old, "")
    assert nobody.post("/login", {"login": old, "password": PASSWORD}).url.endswith("/login")
    fresh = Person(stack, new, "")
    fresh.sign_in()


def test_the_address_of_another_account_is_not_taken(stack: Stack, ana: Person) -> None:
    verify(stack, ana)
    ben = stack.person("ben", "Elsewhere")
    confirmed(ana)
    # Whether there is such an account is told to nobody but its owner.
    told, other = (
        words(ana.post("/email", {"email": address, "action_add": ""}))
        for address in (ben.email, f"nobody-{ben.email}")
    )
    assert "Confirmation email sent" in told
    assert "Confirmation email sent" in other
    for address in (ben.email, f"nobody-{ben.email}", f"never-added-{ben.email}", stack.person("cleo").email):
        page = ana.post("/email", {"email": address, "action_primary": ""})
        assert "belongs to another account" not in words(page)
    assert ana.api("GET", "me").json()["email"] == ana.email
    # Not even where its owner, who never verified it, was led to open the link.
    link = link_in(until(lambda: mails(stack, ben.email), lambda found: len(found) == 2, 5)[1])
    page = ana.post(link.removeprefix(stack.url))
    assert page.status_code == 200
    assert "belongs to another account" in words(page)
    page = ana.post("/email", {"email": ben.email, "action_primary": ""})
    assert page.status_code == 200
    assert "is not verified yet" in words(page)
    assert ana.api("GET", "me").json()["email"] == ana.email
    # One password for both accounts signs in to the one that has the address, and a claimed address to none.
    ben.post("/logout")
    ben.sign_in()
    assert ben.api("GET", "me").json()["email"] == ben.email
    nobody = Person(stack, f"nobody-{ben.email}", "")
    assert nobody.post("/login", {"login": nobody.email, "password": PASSWORD}).url.endswith("/login")
