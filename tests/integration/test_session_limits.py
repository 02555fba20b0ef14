"""A session ends by itself: pages, open streams, cookies, and what does not go with it."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from tests.accounts import sql, words
from tests.reader import Reader
from tests.stack import Person, Stack

HOUR = 3600


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person(organization=f"Limits {uuid4()}")


def key(person: Person) -> str:
    return str(person.jar.cookies["truesend_session"])


def left(person: Person) -> float:
    """The seconds its row gives a session."""
    asked = "SELECT extract(epoch FROM expire_date - now()) FROM django_session WHERE session_key = %s"
    return float(sql(person.stack, asked, key(person))[0][0])


def ends_in(person: Person, seconds: float) -> None:
    sql(
        person.stack,
        "UPDATE django_session SET expire_date = now() + make_interval(secs => %s) WHERE session_key = %s",
        seconds,
        key(person),
    )


def test_three_days_from_signing_in_for_row_and_cookie(ana: Person) -> None:
    other = Person(ana.stack, ana.email, ana.organization)
    other.sign_in()
    for person in (ana, other):
        assert 71 * HOUR < left(person) <= 72 * HOUR
        (cookie,) = [one for one in person.jar.cookies if one.name == "truesend_session"]
        assert 71 * HOUR < (cookie.expires or 0) - time.time() <= 72 * HOUR
    assert "signed out after 3 days, and every one after 14 days" in words(ana.get("/account/sessions"))


def test_it_ends_with_its_stream_and_in_the_list_and_tokens_go_on(stack: Stack, ana: Person) -> None:
    other = Person(stack, ana.email, ana.organization)
    other.sign_in()
    assert "2 browsers" in words(ana.get("/account/sessions"))
    assert ana.bearer
    keys = [key(ana), key(other)]
    ends_in(other, 8)
    with Reader(stack, other) as theirs, Reader(stack, ana) as mine:
        assert theirs.ends(60)
        assert not mine.ended
    assert other.get("/emails").url == f"{stack.url}/login?next=/emails"
    assert "1 browser " in words(ana.get("/account/sessions"))
    ends_in(ana, -1)
    assert ana.api("GET", "me").status_code == 200
    # What is over is cleared away by the next that begins, here by whoever it is.
    known = "SELECT count(*) FROM django_session WHERE session_key = ANY(%s)"
    stack.person("eve", "Elsewhere")
    assert sql(stack, known, keys) == [(0,)]


def test_a_stream_that_outlives_what_it_knew_goes_on_where_the_session_was_used(
    stack: Stack, ana: Person
) -> None:
    ends_in(ana, 6)
    with Reader(stack, ana) as stream:
        ends_in(ana, HOUR)
        assert not stream.ends(9)
        assert ana.get("/emails").url == f"{stack.url}/emails"


def test_it_says_to_its_own_scripts_who_is_signed_in(stack: Stack, ana: Person) -> None:
    page = ana.get("/emails")
    assert f'data-member="{ana.jar.cookies["truesend_member"]}"' in page.text
    eve = stack.person("eve", "Elsewhere")
    assert eve.jar.cookies["truesend_member"] not in page.text
    # In the same browser the one who signed in last.
    ana.post("/logout")
    eve.jar.cookies.update(ana.jar.cookies)
    eve.sign_in()
    assert f'data-member="{eve.jar.cookies["truesend_member"]}"' in eve.get("/emails").text
