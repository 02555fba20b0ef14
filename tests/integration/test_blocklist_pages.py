"""The operator's page of blocked links, and that a block holds at the tracker at once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import requests
from tests.accounts import words
from tests.arrived import parts
from tests.operators import operator
from tests.stack import Person, Stack

PAGE = "/settings/blocklist"


@pytest.fixture(scope="module")
def oda(stack: Stack) -> Person:
    return operator(stack)


def link_of(stack: Stack, person: Person, connection: str, host: str) -> tuple[str, str]:
    """A tracked link that has arrived somewhere, and its delivery."""
    made = person.send(connection, html=f'<p><a href="https://{host}/prices">prices</a></p>')
    delivery = person.email_when(made["id"], "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    html = parts(message)[1]
    found = re.search(r"http://[^\"\s]+/t/c/[\w-]+", html)
    assert found, html
    return found[0], delivery


def status(link: str) -> int:
    return requests.get(link, allow_redirects=False, timeout=10).status_code


def within_a_second(condition: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < 1.2
        time.sleep(0.02)


def block(oda: Person, kind: str, what: str, reason: str = "phishing") -> requests.Response:
    return oda.post(PAGE, {"kind": kind, "what": what, "reason": reason})


def lift(oda: Person, label: str) -> None:
    page = oda.get(PAGE).text
    found = re.search(rf"<b>{re.escape(label)}</b>.*?({PAGE}/[0-9a-f-]{{36}}/remove)", page, re.DOTALL)
    assert found, page
    answer = oda.post(found[1])
    assert "Lifted" in words(answer)
    assert f"<b>{label}</b>" not in answer.text
    assert oda.post(found[1]).status_code == 200  # twice is fine


def test_a_host_with_its_subdomains(stack: Stack, oda: Person) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    host = f"evil-{uuid4().hex[:8]}.example"
    link, _ = link_of(stack, ana, connection, f"login.{host}")
    assert status(link) == 302
    page = block(oda, "host", f"https://{host}/x")
    assert "Blocked. Its links lead nowhere within a second." in words(page)
    within_a_second(lambda: status(link) == 403)
    assert oda.email in words(page)
    assert "That was blocked already." in words(block(oda, "host", host.upper()))
    lift(oda, host)
    within_a_second(lambda: status(link) == 302)


def test_a_delivery_by_its_link(stack: Stack, oda: Person) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    link, delivery = link_of(stack, ana, connection, "good.example")
    other, _ = link_of(stack, ana, connection, "good.example")
    block(oda, "delivery", link)
    within_a_second(lambda: status(link) == 403)
    assert status(other) == 302
    lift(oda, delivery)
    within_a_second(lambda: status(link) == 302)


def test_an_organization_and_what_it_sends_from_then_on(stack: Stack, oda: Person) -> None:
    name = f"Spam {uuid4()}"
    eve, ana = stack.person("eve", name), stack.person()
    theirs, mine = eve.connect()["id"], ana.connect()["id"]
    early, _ = link_of(stack, eve, theirs, "good.example")
    other, _ = link_of(stack, ana, mine, "good.example")
    block(oda, "organization", name)
    within_a_second(lambda: status(early) == 403)
    late, _ = link_of(stack, eve, theirs, "good.example")
    within_a_second(lambda: status(late) == 403)
    # Also when the clock was moved and set back between.
    stack.sandbox.advance(7200)
    later, _ = link_of(stack, eve, theirs, "good.example")
    within_a_second(lambda: status(later) == 403)
    assert status(other) == 302
    lift(oda, name)
    within_a_second(lambda: {status(early), status(late), status(later)} == {302})


def test_an_organization_by_one_of_its_links(stack: Stack, oda: Person) -> None:
    name = f"Twice {uuid4()}"
    eve, _ = stack.person("eve", name), stack.person("eva", name)
    link, _ = link_of(stack, eve, eve.connect()["id"], "good.example")
    refused = block(oda, "organization", name)
    assert refused.status_code == 400
    assert "Several organizations are called" in words(refused)
    assert block(oda, "organization", link).status_code == 200
    within_a_second(lambda: status(link) == 403)
    lift(oda, name)


@pytest.mark.parametrize(
    ("kind", "what", "reason", "said"),
    [
        ("host", "", "x", "Type what to block."),
        ("host", "com", "x", "is no host that can be blocked"),
        ("host", "http://[", "x", "is no host that can be blocked"),
        ("host", "localhost", "x", "is no host that can be blocked"),
        ("host", "evil.example", " \n", "Type a reason"),
        ("delivery", "nothing", "x", "paste one of its links"),
        ("delivery", "http://localhost/t/c/forged", "x", "paste one of its links"),
        ("organization", "Nobody & Sons", "x", "No organization is called"),
        ("organization", str(UUID(int=3)), "x", "No organization is called"),
        ("planet", "mars", "x", "Choose what to block"),
    ],
)
def test_what_cannot_be_blocked_is_said_and_stays_typed(
    oda: Person, kind: str, what: str, reason: str, said: str
) -> None:
    answer = block(oda, kind, what, reason)
    assert answer.status_code == 400
    assert said in words(answer)
    if what and what.isascii() and "[" not in what and "&" not in what:
        assert f'value="{what}"' in answer.text


def test_only_the_operator_sees_and_changes_it(stack: Stack, oda: Person) -> None:
    ana = stack.person()
    assert "Blocked links" in words(oda.get("/account"))
    assert "Blocked links" not in words(ana.get("/account"))
    for answer in (ana.get(PAGE), block(ana, "host", "rival.example")):
        assert answer.status_code == 403
        assert "Only the operator of this installation can block links." in words(answer)
    assert "rival.example" not in oda.get(PAGE).text
    assert ana.post(f"{PAGE}/{uuid4()}/remove").status_code == 404
