"""Who opens an invitation, and who makes one: other organizations, other addresses, other sites, lower roles."""

from __future__ import annotations

import re

import pytest
from tests.accounts import words
from tests.inviting import fresh, join, link_for, mailed_to, team
from tests.mails import mail
from tests.stack import PASSWORD, Person, Stack


@pytest.fixture
def owner(stack: Stack) -> Person:
    """An owner of an organization of its own, whose address is confirmed."""
    other = stack.person(signed_up=False)
    return stack.verified("ana", f"Inviting {other.email}")


# -- who opens it -----------------------------------------------------------------------------------------------


def test_whoever_is_in_another_organization_is_told_the_ways_out(stack: Stack, owner: Person) -> None:
    path = link_for(owner)
    elsewhere = f"Elsewhere {fresh(stack)}"
    eve = stack.person("eve", elsewhere)
    for answer in (eve.get(path), eve.post(path)):
        assert answer.status_code == 409
        assert f"You are in {elsewhere} already" in words(answer)
        assert f"leave {elsewhere} first" in words(answer)
        assert f'href="/emails">Stay in {elsewhere}</a>' in answer.text
    assert eve.email not in team(owner)
    # Whoever leaves it comes in by the same link.
    ids = {one["email"]: one["id"] for one in eve.api("GET", "members").json()["items"]}
    assert "at least one owner" in words(eve.post(f"/users/{ids[eve.email]}/remove"))
    other = stack.member_of(eve, "user")
    eve.post(f"/users/{ids[eve.email]}/remove")
    mine = next(one for one in other.api("GET", "members").json()["items"] if one["email"] == other.email)
    assert other.post(f"/users/{mine['id']}/remove").url.endswith("/login")
    other.sign_in_again()
    assert "You belong to no organization" in words(other.get("/emails"))
    assert "Join" in words(other.get(path))
    assert other.post(path).status_code == 200
    assert team(owner)[other.email] == "user"


def test_a_member_of_the_same_organization_uses_nothing_up(stack: Stack, owner: Person) -> None:
    path = link_for(owner)
    assert owner.get(path).url == f"{stack.url}/emails"
    assert join(stack, path, fresh(stack))[1].ok


def test_a_mailed_one_is_for_its_address_alone(stack: Stack, owner: Person) -> None:
    """Somebody signed in with another address, who belongs nowhere."""
    path = mailed_to(owner, fresh(stack))
    gone = stack.member_of(owner)
    ids = {one["email"]: one["id"] for one in owner.api("GET", "members").json()["items"]}
    owner.post(f"/users/{ids[gone.email]}/remove")
    gone.sign_in_again()
    for answer in (gone.get(path), gone.post(path)):
        assert answer.status_code == 409
        assert "for somebody else" in words(answer)
    assert gone.email not in team(owner)


def test_whoever_has_an_account_signs_in_and_comes_back(stack: Stack, owner: Person) -> None:
    path = link_for(owner)
    page = Person(stack, "", "").get(path)
    assert f"/login?next={path}" in page.text
    # The way back stays on this site.
    for odd in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        eve = stack.person("eve", "Elsewhere")
        eve.jar.cookies.clear()
        eve.get("/login")
        answer = eve.post(
            f"/login?next={odd}",
            {"login": eve.email, "password": PASSWORD, "next": odd},
            allow_redirects=False,
        )
        assert answer.headers["Location"] == "/emails"
        assert Person(stack, "", "").post(f"{path}?next={odd}", {"next": odd}).status_code == 400


def test_a_session_begins_anew_and_no_form_of_another_site_joins(stack: Stack, owner: Person) -> None:
    path, address = link_for(owner), fresh(stack)
    ben = Person(stack, address, "")
    ben.jar.cookies.set(
        "truesend_session", "fixed-by-somebody-else-0123456789", domain="localhost.local", path="/"
    )
    ben.get(path)
    forged = ben.jar.post(
        stack.url + path,
        data={"email": address, "password1": PASSWORD, "csrfmiddlewaretoken": "x" * 64},
        headers={"Origin": "https://evil.example"},
        timeout=30,
    )
    assert forged.status_code == 403
    assert address not in team(owner)
    ben.jar.cookies.clear()
    ben.post(path, {"email": address, "password1": PASSWORD})
    assert ben.jar.cookies["truesend_session"] != "fixed-by-somebody-else-0123456789"
    assert address in team(owner)


# -- who invites ------------------------------------------------------------------------------------------------


def test_a_manager_invites_users_and_a_user_nobody(stack: Stack, owner: Person) -> None:
    manager, user = stack.member_of(owner, "manager"), stack.member_of(owner)
    assert link_for(manager)
    for person, role in ((manager, "manager"), (user, "user"), (user, "manager")):
        answer = person.post("/users/invite", {"how": "link", "role": role})
        assert answer.status_code == 403
        assert "/invite/" not in answer.text
        assert owner.email in answer.text  # who can
    assert 'value="manager"' not in manager.get("/users").text
    path = re.search(r"/users/invitations/[0-9a-f-]{36}", owner_link_page(owner))
    assert path
    for person in (manager, user):
        for end in ("/renew", "/revoke"):
            assert person.post(path[0] + end).status_code == 403
    assert "Owners and managers invite" in words(user.get("/users"))


def owner_link_page(owner: Person) -> str:
    """The team's page behind a new invitation of a manager, which stands first."""
    link_for(owner, "manager")
    return owner.get("/users").text


@pytest.mark.parametrize("role", ["owner", "", "admin", "User"])
def test_nobody_is_invited_as_anything_else(owner: Person, role: str) -> None:
    answer = owner.post("/users/invite", {"how": "link", "role": role})
    assert answer.status_code == 400
    assert "as a manager or as a user" in words(answer)


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(stack: Stack, owner: Person) -> None:
    for email, said in (
        ("", "Type the address"),
        ("no address", "This is no email address"),
        (owner.email, "is in the team already"),
        ("a\r\nBcc: x@y.example", "This is no email address"),
    ):
        answer = owner.post("/users/invite", {"how": "mail", "role": "user", "email": email})
        assert answer.status_code == 400, email
        assert said in words(answer)
    address = fresh(stack)
    mailed_to(owner, address)
    assert "is invited already" in words(
        owner.post("/users/invite", {"how": "mail", "role": "user", "email": address})
    )
    # A stranger's account is not told of: only its own link is, to whoever signs in.
    eve = stack.person("eve", "Elsewhere")
    assert "is invited by mail" in words(
        owner.post("/users/invite", {"how": "mail", "role": "user", "email": eve.email})
    )


def test_an_unconfirmed_address_bars_only_inviting(stack: Stack) -> None:
    ana = stack.person(organization=f"Unconfirmed {fresh(stack)}")
    answer = ana.post("/users/invite", {"how": "mail", "role": "user", "email": fresh(stack)})
    assert answer.status_code == 400
    assert "Confirm your own address first" in words(answer)
    confirm = re.search(r"https?://\S+/confirm-email/\S+", mail(stack, ana.email, "Confirm your address"))
    assert confirm
    ana.post(confirm[0].removeprefix(stack.url))
    assert link_for(ana)
