"""Second factors as a person with a phone has them: codes by RFC 6238, reckoned here and not by what is tested."""

from __future__ import annotations

import base64
import hmac
import html
import re
import struct
import time
from dataclasses import dataclass

import requests
from tests.accounts import link_in, mails, sql
from tests.stack import PASSWORD, Person, Stack, until

PAGE = "/account/second-factor"


@dataclass
class Phone:
    """An authenticator app with one secret in it, and the recovery codes that were shown."""

    secret: str
    codes: list[str]

    def code(self, later: int = 0) -> str:
        """What it shows now, or so many half minutes later."""
        counter = int(time.time()) // 30 + later
        key = base64.b32decode(self.secret)
        digest = hmac.new(key, struct.pack(">Q", counter), "sha1").digest()
        at = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def verify(stack: Stack, person: Person) -> None:
    """Confirm the address by the link that was mailed at sign-up."""
    (text,) = until(lambda: [one for one in mails(stack, person.email) if "/confirm-email/" in one], bool, 5)[
        :1
    ]
    person.post(link_in(text).removeprefix(stack.url))


def confirm(person: Person) -> None:
    """Show once more who one is, by the password."""
    answer = person.post("/reauthenticate", {"password": PASSWORD, "next": "/account/second-factor"})
    assert answer.url.endswith(PAGE), answer.url


def add_app(person: Person) -> Phone:
    """Set up an app; its first code has served with that."""
    confirm(person)
    page = person.get(f"{PAGE}/app").text
    secret = re.search(r'<code class="secret mono">([A-Z2-7]{32})</code>', page)
    assert secret, page
    phone = Phone(secret[1], [])
    shown = person.post(f"{PAGE}/app", {"code": phone.code()})
    assert shown.url.endswith(f"{PAGE}/codes"), shown.text
    phone.codes = re.findall(r"<li>(\d{8})</li>", html.unescape(shown.text))
    assert len(phone.codes) == 10
    return phone


def anew(stack: Stack, person: Person) -> None:
    """As if a while had passed since the last code was taken."""
    sql(
        stack,
        "UPDATE mfa_authenticator SET data = data - 'counter' FROM organizations_user u"
        " WHERE u.id = user_id AND u.email = %s AND type = 'totp'",
        person.email,
    )


def halfway(person: Person) -> Person:
    """A browser in which the password was typed, and nothing more."""
    other = Person(person.stack, person.email, person.organization, requests.Session())
    answer = other.post("/login", {"login": person.email, "password": PASSWORD})
    assert answer.url.endswith("/login/second-factor"), answer.url
    return other
