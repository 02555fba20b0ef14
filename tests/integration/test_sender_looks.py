"""The sender's own looks are told from a recipient's, from the session they use Truesend with to the signal."""

from __future__ import annotations

import re
from email import message_from_string
from email.policy import default

import pytest
import requests
from tests.stack import Person, Stack

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
NEWER = FIREFOX.replace("132", "134")
CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
HERE, SENDER, ELSEWHERE = "", "198.51.100.20", "203.0.113.99"


def mail(stack: Stack, person: Person) -> tuple[str, str]:
    """An email sent half a minute ago: its id and its pixel."""
    email = person.send(person.connect()["id"])["id"]
    delivery = person.email_when(email, "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    body = message_from_string(message["raw"], policy=default).get_body(("html",))
    assert body is not None
    found = re.search(r'src="([^"]+/t/o/[^"]+)"', body.get_content())
    assert found
    stack.sandbox.advance(30)
    return email, found[1]


def look(pixel: str, agent: str, address: str) -> None:
    headers = {"User-Agent": agent, "Accept-Language": "en"}
    if address:
        headers["X-Forwarded-For"] = address
    assert requests.get(pixel, headers=headers, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("session", "agent", "address", "expected"),
    [
        (SENDER, FIREFOX, SENDER, ("self", "self")),
        (SENDER, NEWER, SENDER, ("self", "self")),
        (SENDER, CHROME, SENDER, ("unknown", "sender_address")),
        (SENDER, FIREFOX, ELSEWHERE, ("person", "browser")),
        (HERE, FIREFOX, HERE, ("self", "self")),
        (HERE, CHROME, HERE, ("person", "browser")),
        (HERE, FIREFOX, ELSEWHERE, ("person", "browser")),
    ],
)
def test_address_and_browser_of_the_senders_session(
    stack: Stack, session: str, agent: str, address: str, expected: tuple[str, str]
) -> None:
    ana = stack.person()
    ana.jar.headers["User-Agent"] = FIREFOX
    if session:
        ana.jar.headers["X-Forwarded-For"] = session
    assert ana.get("/emails").ok
    email, pixel = mail(stack, ana)
    look(pixel, agent, address)
    (signal,) = ana.signals(email, 1)
    assert (signal["class"], signal["rule"]) == expected
    counted = ana.api("GET", f"emails/{email}").json()["signal"]
    assert (counted is None) == (expected[0] == "self")
