"""Addresses that somebody only claims: they open no account, keep nobody out, and leave no way back."""

from __future__ import annotations

from uuid import uuid4

import pytest
import requests
from tests.accounts import NEW_PASSWORD, ask_for_reset, form, link_in, mails, set_password, sql, words
from tests.factors import verify
from tests.stack import PASSWORD, Person, Stack, until


@pytest.fixture
def eve(stack: Stack) -> Person:
    return stack.person("eve", f"Claimed {uuid4()}")


def claim(person: Person, address: str) -> str:
    """Add an address; the link that was mailed there."""
    person.post("/reauthenticate", {"password": PASSWORD, "next": "/email"})
    assert address in person.post("/email", {"email": address, "action_add": ""}).text
    told = until(lambda: mails(person.stack, address), bool, 5)
    return link_in(told[-1])


def resets(stack: Stack, address: str) -> list[str]:
    """The links for a new password that were mailed there."""
    ask_for_reset(stack, address)
    return [link_in(one) for one in mails(stack, address) if "/password/reset/key/" in one]


def test_it_sets_no_password(stack: Stack, eve: Person) -> None:
    """Somebody who mistyped their new address would open their account to whoever has that mailbox."""
    verify(stack, eve)
    mistyped = f"mistyped-{eve.email}"
    claim(eve, mistyped)
    assert resets(stack, mistyped) == []
    assert len(resets(stack, eve.email)) == 1
    # Once it is verified it does.
    further = f"further-{eve.email}"
    eve.post(claim(eve, further).removeprefix(stack.url))
    (link,) = resets(stack, further)
    assert set_password(stack, link).status_code == 200
    eve.jar.cookies.clear()
    answer = form(stack, eve.jar, "/login", login=further, password=NEW_PASSWORD)
    assert answer.url == f"{stack.url}/emails"


def test_it_keeps_nobody_out(stack: Stack, eve: Person) -> None:
    wanted = f"wanted-{eve.email}"
    link = claim(eve, wanted)
    jar = requests.Session()
    page = form(stack, jar, "/signup", organization="Theirs", email=wanted, password1=NEW_PASSWORD)
    assert page.url == f"{stack.url}/integration"
    # The one who claimed it has nothing of it, even with the link.
    assert "belongs to another account" in words(eve.post(link.removeprefix(stack.url)))
    page = form(stack, requests.Session(), "/login", login=wanted, password=PASSWORD)
    assert page.url.endswith("/login")
    assert len(resets(stack, wanted)) == 1
    # What is somebody's own is theirs all the same.
    verify(stack, eve)
    further = f"further-{eve.email}"
    eve.post(claim(eve, further).removeprefix(stack.url))
    for address in (eve.email, further):
        page = form(stack, requests.Session(), "/signup", organization="N", email=address, password1=PASSWORD)
        assert "already" in words(page)


def test_whoever_set_an_account_up_with_anothers_address_has_no_way_back(stack: Stack, eve: Person) -> None:
    """The address is its owner's by a link that was mailed to it: what was left there before goes."""
    bearer = eve.bearer
    assert eve.api("GET", "me").status_code == 200
    link = claim(eve, f"back-{eve.email}")
    set_password(stack, resets(stack, eve.email)[0])
    assert eve.api("GET", "me").status_code == 401
    assert bearer == eve.bearer
    assert eve.get("/emails").url.startswith(f"{stack.url}/login")
    # Nor by the link for the other address, which was mailed before.
    owner = Person(stack, eve.email, "")
    form(stack, owner.jar, "/login", login=eve.email, password=NEW_PASSWORD)
    owner.post(link.removeprefix(stack.url))
    page = words(owner.get("/email"))
    assert f"{eve.email} Verified" in page
    assert "back-" not in page
    assert resets(stack, f"back-{eve.email}") == []
    found = sql(stack, "SELECT words FROM organizations_auditentry WHERE actor_email = %s AND action = %s",
                eve.email, "token.revoked")  # fmt: skip
    assert found == [("the address was not verified before",)]


def test_a_verified_address_of_another_mailbox_is_no_way_round(stack: Stack, eve: Person) -> None:
    """Who set up an account with somebody's address and verified their own: no link is mailed to the first."""
    own = f"own-{eve.email}"
    eve.post(claim(eve, own).removeprefix(stack.url))
    assert resets(stack, eve.email) == []
    assert len(resets(stack, own)) == 1


def test_tokens_of_a_verified_account_outlive_a_new_password(stack: Stack, eve: Person) -> None:
    verify(stack, eve)
    assert eve.bearer
    set_password(stack, resets(stack, eve.email)[0])
    assert eve.api("GET", "me").status_code == 200


def test_a_letter_that_looks_the_same_leads_no_mail_elsewhere(stack: Stack) -> None:
    """The Kelvin sign is a k in lower case: a mailbox of that name may be another one."""
    mike = stack.person("mike")
    other = mike.email.replace("k", "\u212a", 1)
    assert other.lower() == mike.email
    form(stack, requests.Session(), "/password/reset", email=other)
    until(lambda: [one for one in mails(stack, mike.email) if "/password/reset/key/" in one], bool, 5)
    told = {address for item in stack.sandbox.messages(to=mike.email) for address in item["to"]}
    assert told == {mike.email}
