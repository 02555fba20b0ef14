"""Whoever runs the installation of a stack, and what they have blocked."""

from __future__ import annotations

import re
from uuid import uuid4

from tests.stack import PASSWORD, Person, Stack


def operator(stack: Stack) -> Person:
    """A new operator, made on the command line and signed in."""
    person = stack.person("oda", f"Operators {uuid4()}", signed_up=False)
    stack.up.scene(
        "user", "create", "--email", person.email, "--password", PASSWORD,
        "--organization", person.organization, "--operator",
    )  # fmt: skip
    person.sign_in()
    return person


def blocked(stack: Stack, host: str) -> str:
    """The id of the block of a host."""
    oda = operator(stack)
    page = oda.post("/settings/blocklist", {"kind": "host", "what": host, "reason": "phishing"}).text
    found = re.search(
        rf"<b>{re.escape(host)}</b>.*?/settings/blocklist/([0-9a-f-]{{36}})/remove", page, re.DOTALL
    )
    assert found, page
    return found[1]
