"""A CRM whose contacts are told of mail from other accounts, as tests turn it on and look into it."""

from __future__ import annotations

import html
from typing import Any

import requests
from tests.stack import Person, until

PATIENCE = {"TRUESEND_HTTP_TIMEOUT": "2", "TRUESEND_QUIET_TIME": "1", "TRUESEND_COPIES_PER_MINUTE": "6000"}
CRM = "capabilities=send,read,contacts&kind=organization"
OWN = "capabilities=send,read,contacts&kind=personal"


def crm(ana: Person, query: str = CRM, **consent: Any) -> str:
    """A connection whose contacts are told."""
    found = str(ana.connect(query=query, provider="keap", **consent)["id"])
    answer = ana.post(f"/connections/{found}/record")
    assert "recorded with their Keap contacts" in answer.text
    return found


def contact(ana: Person, address: str, *name: str) -> str:
    """A contact in the app of a person, made as somebody there would."""
    sandbox = ana.stack.sandbox
    body: dict[str, Any] = {"email_addresses": [{"email": address, "field": "EMAIL1"}]}
    body |= dict(zip(("given_name", "family_name"), name, strict=False))
    key = sandbox.control("POST", "keap/keys", {"account": ana.email})["key"]
    made = requests.post(
        f"{sandbox.url}/crm/rest/v2/contacts", json=body, headers={"X-Keap-API-Key": key}, timeout=30
    )
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def records(ana: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ana.stack.sandbox.control(
        "GET", "keap/records", params={"account": ana.email}
    )["items"]
    return found


def recorded(ana: Person, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = until(lambda: records(ana), lambda items: len(items) >= count, seconds)
    assert len(found) == count
    return found


def told(ana: Person, email: str, words: str, seconds: float = 30) -> str:
    """The email's page once it says so."""
    page: str = until(
        lambda: html.unescape(ana.get(f"/emails/{email}").text), lambda text: words in text, seconds
    )
    return page


def calls(ana: Person, operation: str) -> list[dict[str, Any]]:
    return ana.stack.sandbox.calls(provider="keap", account=ana.email, operation=operation)


def sent(ana: Person, **draft: Any) -> dict[str, Any]:
    """An email from her Google account, once it has left."""
    mailbox = ana.connect()["id"]
    return ana.email_when(ana.send(mailbox, **draft)["id"], "sent")
