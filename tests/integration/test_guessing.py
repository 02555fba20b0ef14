"""An installation that limits guessing: passwords, codes, resets; what is told and what is written down."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
import requests
from requests.adapters import HTTPAdapter
from tests import stack as stacks
from tests import up
from tests.accounts import form, sql, words
from tests.factors import PAGE, add_app, halfway
from tests.stack import PASSWORD, Person, Stack


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("guessed") / "data"
    settings = {"TRUESEND_GUESS_LIMITS": "on", "TRUESEND_TRUSTED_PROXIES": "1"}
    with stacks.running(data, settings=settings) as running:
        yield running
    up.remove(data)


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(self.address, 0))


def at(number: int) -> requests.Session:
    """A browser at another address of this machine: limits count by address too."""
    jar = requests.Session()
    jar.mount("http://", _From(f"127.0.1.{number}"))
    return jar


@pytest.fixture
def ana(strict: Stack) -> Person:
    """A manager whose address is verified."""
    owner = strict.person(organization=f"Guessed {uuid4()}")
    return strict.member_of(owner, "manager")


def guessed(strict: Stack, of: Person) -> int:
    """How often it stands in the log that somebody guessed."""
    found = sql(
        strict,
        "SELECT count(*) FROM organizations_auditentry WHERE action = 'sign_in.guessed' AND about = %s",
        of.email,
    )
    return int(found[0][0])


def test_passwords_from_everywhere_and_the_one_line_about_them(strict: Stack, ana: Person) -> None:
    told = [
        words(form(strict, at(number), "/login", login=ana.email, password=f"wrong-{number}"))
        for number in range(10, 20)
    ]
    assert "Too many" not in told[0]
    assert "Too many" in told[-1]
    # Not even the right one, for now; her session goes on; and somebody else's account is untouched.
    assert "/login" in form(strict, at(21), "/login", login=ana.email, password=PASSWORD).url
    assert ana.get("/emails").url == f"{strict.url}/emails"
    assert guessed(strict, ana) == 1
    other = strict.member_of(strict.person(organization=f"Guessed {uuid4()}"))
    assert guessed(strict, other) == 0
    # Nobody of that address: nothing is told of that, and nothing written down.
    for number in range(30, 40):
        page = form(strict, at(number), "/login", login=f"no-{ana.email}", password="wrong-password")
    assert "Too many" in words(page)


def test_codes_of_a_second_factor(strict: Stack, ana: Person) -> None:
    phone = add_app(ana)
    other = halfway(ana)
    other.jar.mount("http://", _From("127.0.1.50"))
    told = [words(other.post("/login/second-factor", {"code": f"{n:06}"})) for n in range(7)]
    assert "used before" in told[0]
    assert "Too many" in told[-1]
    # Not even the right one; nor at another browser, with a recovery code, at another address.
    again = halfway(ana)
    again.jar.mount("http://", _From("127.0.1.51"))
    for person, code in ((other, phone.code(1)), (again, phone.codes[0])):
        assert person.post("/login/second-factor", {"code": code}).url.endswith("/login/second-factor")
    assert guessed(strict, ana) == 1
    # What was refused was not used up.
    assert "10 left" in words(ana.get(PAGE))


def test_showing_once_more_who_one_is(strict: Stack, ana: Person) -> None:
    ana.jar.mount("http://", _From("127.0.1.60"))
    answers = [ana.post("/reauthenticate", {"password": "wrong-password"}) for _ in range(14)]
    assert answers[0].status_code == 200
    last = answers[-1]
    assert last.status_code == 429 or "Too many" in words(last)
    assert ana.get("/emails").url == f"{strict.url}/emails"


def test_links_that_set_a_new_password(strict: Stack, ana: Person) -> None:
    answers = [form(strict, at(70 + n), "/password/reset", email=ana.email) for n in range(8)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert "many tries in a short time" in words(answers[-1])
    jar = at(90)
    for n in range(25):
        page = form(strict, jar, f"/password/reset/key/1-guess{n}", password1="x", password2="x")
    assert page.status_code == 429


def test_passkeys(strict: Stack) -> None:
    person = Person(strict, "", "", at(100))
    person.get("/login")
    answers = [person.post("/login/passkey", {"credential": "{}"}, allow_redirects=False) for _ in range(12)]
    assert answers[0].status_code == 302
    assert answers[-1].status_code == 429


def test_many_at_once_are_no_way_round_the_limit(strict: Stack, ana: Person) -> None:
    """Each from an address of its own, all at the same moment: no more than five are looked at."""

    def guess(number: int) -> bool:
        jar = at(150 + number)
        jar.get(f"{strict.url}/login", timeout=60)
        gate.wait(60)
        page = form(strict, jar, "/login", login=ana.email, password=f"wrong-{number}")
        return "Too many" not in words(page) and page.status_code == 200

    gate = Barrier(24)
    with ThreadPoolExecutor(24) as pool:
        looked_at = sum(pool.map(guess, range(24)))
    assert looked_at <= 5


def test_behind_a_proxy_each_client_counts_for_itself(strict: Stack) -> None:
    """The proxy is this machine: what it says last is believed, and nothing that stands before it."""

    def guess(forwarded: str) -> bool:
        jar = at(200)
        jar.headers["X-Forwarded-For"] = forwarded
        page = form(strict, jar, "/login", login=f"{uuid4()}@nowhere.example", password="wrong-password")
        return "Too many" not in words(page)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(guess, [f"198.51.100.{n}, 203.0.113.7" for n in range(20)]))
    assert sum(taken) <= 10
    assert guess("203.0.113.7, 203.0.113.8")
