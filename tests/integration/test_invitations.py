"""Invitations: what links are worth, to whom, how often; against guessing, reuse, forged forms and addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from tests import stack as stacks
from tests import up
from tests.accounts import sql, words
from tests.inviting import fresh, join, link_for, link_in, mailed_to, team
from tests.mails import mail
from tests.stack import PASSWORD, Person, Stack

SHARED = "capabilities=send&kind=organization"


@pytest.fixture
def owner(stack: Stack) -> Person:
    """An owner of an organization of its own, whose address is confirmed."""
    other = stack.person(signed_up=False)
    return stack.verified("ana", f"Inviting {other.email}")


# -- joining ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["user", "manager"])
def test_invited_by_mail_somebody_joins_with_the_role_and_a_confirmed_address(
    stack: Stack, owner: Person, role: str
) -> None:
    address = fresh(stack)
    path = mailed_to(owner, address.upper(), role)
    page = Person(stack, "", "").get(path)
    assert f"Join {owner.organization}" in words(page)
    assert address in page.text
    assert 'name="email"' not in page.text  # bound to the address
    ben, answer = join(stack, path, email="eve@elsewhere.example")  # what is typed besides counts for nothing
    assert answer.url == f"{stack.url}/integration"
    assert team(owner)[address] == role
    assert "Ben Ito" in owner.get("/users").text
    ben.email = address
    assert ben.api("GET", "me").json()["organization"] == owner.organization
    assert ("Make a link" in ben.get("/users").text) is (role == "manager")


def test_a_link_is_for_whoever_opens_it_first_and_their_address_is_to_be_confirmed(
    stack: Stack, owner: Person
) -> None:
    path, address = link_for(owner, "manager"), fresh(stack)
    ben, answer = join(stack, path, address)
    assert answer.url == f"{stack.url}/integration"
    assert team(owner)[address] == "manager"
    # As at sign-up: it bars only inviting.
    mail(stack, address, "Confirm your address")
    assert "Confirm your own address first" in words(ben.get("/users"))
    refused = ben.post("/users/invite", {"how": "link", "role": "user"})
    assert refused.status_code == 400
    assert "/invite/" not in refused.text


def test_a_shared_account_is_written_from_at_once(stack: Stack, owner: Person) -> None:
    owner.connect(f"sales-{owner.email}", SHARED)
    _, answer = join(stack, link_for(owner), fresh(stack))
    assert answer.url.startswith(f"{stack.url}/emails/new")


def test_looking_uses_nothing_up(stack: Stack, owner: Person) -> None:
    path = link_for(owner)
    for _ in range(3):
        assert "Join" in requests.get(stack.url + path, timeout=30).text
    assert requests.head(stack.url + path, timeout=30).status_code in {200, 405}
    assert join(stack, path, fresh(stack))[1].ok


def further_address(person: Person) -> str:
    """One that is confirmed to be theirs, too."""
    address = f"too-{person.email}"
    added = sql(
        person.stack,
        'INSERT INTO account_emailaddress (email, verified, "primary", user_id) '
        "SELECT %s, true, false, id FROM organizations_user WHERE email = %s RETURNING 1",
        address,
        person.email,
    )
    assert added == [(1,)]
    return address


def test_bad_input_loses_nothing(stack: Stack, owner: Person) -> None:
    path, address = link_for(owner), fresh(stack)
    for fields, said in (
        ({"email": "no address"}, "valid email address"),
        ({"email": f"{'a' * 300}@b.example"}, "at most 254"),
        ({"email": address, "password1": "short"}, "at least 8"),
        ({"email": address, "password1": "password1"}, "too common"),
        ({"email": owner.email}, "has an account already"),
        ({"email": further_address(owner)}, "has an account already"),
    ):
        _, answer = join(stack, path, **{"address": "", **fields})
        assert answer.status_code == 400, fields
        assert said in words(answer), (fields, words(answer))
        assert 'value="Ben Ito"' in answer.text
    assert join(stack, path, address)[1].ok


# -- what a link is worth ---------------------------------------------------------------------------------------


def worthless(stack: Stack, path: str, said: str = "") -> None:
    """Neither looked at nor posted it does anything."""
    people = sql(stack, "SELECT count(*) FROM organizations_user")
    for answer in (Person(stack, "", "").get(path), join(stack, path, fresh(stack, "eve"))[1]):
        assert answer.status_code == 404
        assert "This invitation opens nothing any more" in words(answer)
        assert said in words(answer)
    assert sql(stack, "SELECT count(*) FROM organizations_user") == people


def test_it_works_once(stack: Stack, owner: Person) -> None:
    path = link_for(owner)
    assert join(stack, path, fresh(stack))[1].ok
    worthless(stack, path, "It has been used")


def test_of_many_who_use_it_at_once_one_joins(stack: Stack, owner: Person) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = link_for(owner)
    people = [Person(stack, fresh(stack, f"p{number}"), "") for number in range(6)]
    for one in people:
        one.get(path)
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda one: one.post(path, {"email": one.email, "password1": PASSWORD}), people)
        )
    assert sum(one.status_code == 200 for one in answers) == 1
    assert len(team(owner)) == 2
    # And no account without an organization is left of the others.
    made = sql(
        stack, "SELECT count(*) FROM organizations_user WHERE email = ANY(%s)", [one.email for one in people]
    )
    assert made == [(1,)]


def test_after_a_week_it_opens_nothing_until_it_is_sent_again(stack: Stack, owner: Person) -> None:
    address = fresh(stack)
    path = mailed_to(owner, address)
    sql(
        stack,
        "UPDATE organizations_invitation SET expires_at = now() - interval '1 second' WHERE address = %s RETURNING 1",
        address,
    )
    worthless(stack, path, f"Ask {owner.email} to send it again")
    page = owner.get("/users")
    assert "Ran out" in words(page)
    # Two mails a minute apart at least.
    found = re.search(r"/users/invitations/[0-9a-f-]{36}/renew", page.text)
    assert found
    assert "mailed a moment ago" in words(owner.post(found[0]))
    sql(
        stack,
        "UPDATE organizations_invitation SET mailed_at = now() - interval '2 minutes' WHERE address = %s RETURNING 1",
        address,
    )
    assert "is invited by mail" in words(owner.post(found[0]))
    again = link_in(owner, address)
    assert again != path
    worthless(stack, path)
    assert join(stack, again)[1].ok


def test_a_new_link_ends_the_old_one(stack: Stack, owner: Person) -> None:
    old = link_for(owner)
    found = re.search(r"/users/invitations/[0-9a-f-]{36}/renew", owner.get("/users").text)
    assert found
    new = re.search(r"/invite/[\w-]{43}\b", owner.post(found[0]).text)
    assert new
    worthless(stack, old)
    assert join(stack, new[0], fresh(stack))[1].ok


def test_revoked_it_opens_nothing(stack: Stack, owner: Person) -> None:
    path = link_for(owner)
    found = re.search(r"/users/invitations/[0-9a-f-]{36}/revoke", owner.get("/users").text)
    assert found
    assert "is revoked" in words(owner.post(found[0]))
    worthless(stack, path, "It was revoked")
    assert "already" in words(owner.post(found[0]))  # twice is fine


def test_it_ends_with_the_right_of_whoever_made_it(stack: Stack, owner: Person) -> None:
    manager = stack.member_of(owner, "manager")
    path = link_for(manager)
    ids = {one["email"]: one["id"] for one in owner.api("GET", "members").json()["items"]}
    owner.post(f"/users/{ids[manager.email]}/role", {"role": "user"})
    worthless(stack, path)
    owner.post(f"/users/{ids[manager.email]}/role", {"role": "manager"})
    assert "Join" in Person(stack, "", "").get(path).text
    owner.post(f"/users/{ids[manager.email]}/remove")
    worthless(stack, path)


def test_only_a_hash_is_stored_and_no_token_is_guessed(stack: Stack, owner: Person) -> None:
    path = link_for(owner)
    token = path.rpartition("/")[2]
    (row,) = sql(
        stack,
        "SELECT i::text, encode(digest, 'hex') FROM organizations_invitation i ORDER BY created_at DESC LIMIT 1",
    )
    assert token not in row[0]
    for odd in (
        token[:-1],
        token + "A",
        token.swapcase(),
        row[1],
        "0" * 43,
        "a",
        "%00",
        "é" * 20,
        f"{token}%0a",
        "x" * 4000,
    ):
        answer = Person(stack, "", "").get(f"/invite/{odd}", allow_redirects=False)
        assert answer.status_code in {404, 302, 301}, (odd, answer.status_code)
        assert owner.organization not in answer.text
    logs = "".join(one.read_text(errors="replace") for one in (stack.up.data).rglob("*.log"))
    assert token not in logs


def test_guesses_are_limited_where_limits_are_on(tmp_path: Path) -> None:
    with stacks.running(tmp_path / "data", settings={"TRUESEND_GUESS_LIMITS": "on"}) as guarded:
        answers = [
            requests.get(f"{guarded.url}/invite/{'g' * 40}{number:03}", timeout=30).status_code
            for number in range(25)
        ]
        assert answers[:20] == [404] * 20
        assert answers[20:] == [429] * 5
    up.remove(tmp_path / "data")
