"""Invitations as people meet them: made on the page, found in a mailbox, used by somebody new."""

from __future__ import annotations

import re

import requests
from tests.accounts import words
from tests.mails import mails
from tests.stack import PASSWORD, Person, Stack


def link_for(owner: Person, role: str = "user") -> str:
    """The path of a link that was just made."""
    page = owner.post("/users/invite", {"how": "link", "role": role})
    found = re.search(r"/invite/([\w-]{43})\b", page.text)
    assert found, words(page)
    return found[0]


def mailed_to(owner: Person, address: str, role: str = "user") -> str:
    """The path of the link in the mail."""
    page = owner.post("/users/invite", {"how": "mail", "email": address, "role": role})
    address = address.lower()
    assert f"{address} is invited by mail." in words(page)
    return link_in(owner, address)


def link_in(owner: Person, address: str) -> str:
    """The path of the newest link that was mailed to an address."""
    text = [text for subject, text in mails(owner.stack, address.lower()) if "invites you to" in subject][-1]
    found = re.search(rf"{re.escape(owner.stack.url)}(/invite/[\w-]{{43}})\b", text)
    assert found, text
    return found[1]


def join(stack: Stack, path: str, address: str = "", **more: str) -> tuple[Person, requests.Response]:
    """Somebody new who fills in the form of a link."""
    person = Person(stack, address, "")
    fields = {"name": "Ben Ito", "password1": PASSWORD, **({"email": address} if address else {}), **more}
    return person, person.post(path, fields)


def fresh(stack: Stack, name: str = "ben") -> str:
    return stack.person(name, signed_up=False).email


def team(owner: Person) -> dict[str, str]:
    """Role by address."""
    return {one["email"]: one["role"] for one in owner.api("GET", "members").json()["items"]}
