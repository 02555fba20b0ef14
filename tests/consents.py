"""Consents as tests go through them: by browser, by hand, and what is on the screen afterwards."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from tests.stack import Person

SEND = "https://www.googleapis.com/auth/gmail.send"
READ = "https://www.googleapis.com/auth/gmail.readonly"


def notice(page: requests.Response) -> str:
    """The text of the notice on the integrations page, or of a page of its own."""
    assert page.status_code < 500, page.text
    found = re.search(r'<div class="note note-bad" role="alert">(.*?)</div>(?:<form|</div>)', page.text, re.S)
    text = found[1] if found else page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def is_untouched(person: Person) -> None:
    """No connection row and no token: nothing is half-connected."""
    assert person.api("GET", "connections").json()["items"] == []


def next_consent_works(person: Person) -> None:
    """And afterwards it can be done."""
    connection = person.connect()
    assert (connection["verdict"], connection["cause"]) == ("unproven", "not_tried")


def come_back(person: Person, **query: str) -> requests.Response:
    """The callback, as a browser would call it."""
    return person.get(f"/oauth/google/callback?{urlencode(query)}")


def approved(person: Person, query: str = "capabilities=send&kind=personal") -> dict[str, str]:
    """Consent at the provider, and stop before the way back: what the callback would get."""
    person.stack.sandbox.account(person.email)
    person.stack.sandbox.consent(person.email)
    answer = requests.get(person.begin_consent(query), allow_redirects=False, timeout=30)
    back = answer.headers["Location"]
    assert back.startswith(f"{person.stack.url}/oauth/google/callback?")
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
