"""What tests of bad input ask again and again: how it is posted and refused, what was stored and what arrived."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import requests
from tests.stack import Person, Stack


def connection_of(person: Person) -> str:
    return str(person.api("GET", "connections").json()["items"][0]["id"])


def draft_of(person: Person, **fields: Any) -> dict[str, Any]:
    return {"connection": connection_of(person), "to": ["ines@globex.example"], "subject": "Offer", **fields}


def stored(person: Person) -> int:
    """How many emails there are, whatever their status."""
    drafts = person.api("GET", "emails?status=draft").json()["items"]
    return len(drafts) + len(person.api("GET", "emails").json()["items"])


def post(person: Person, body: bytes | str, **headers: str) -> requests.Response:
    sent = {"Authorization": f"Bearer {person.bearer}", "Content-Type": "application/json", **headers}
    data = body.encode() if isinstance(body, str) else body
    return requests.post(f"{person.stack.url}/api/v1/emails", data=data, headers=sent, timeout=60)


def is_problem(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, which every error is."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"code", "cause", "sentence", "fix", "who"} <= set(body)
    assert body["code"] == code
    assert body["sentence"].endswith((".", "”"))
    assert len(answer.content) < 20_000
    return body


def arrived(stack: Stack, sent: dict[str, Any]) -> EmailMessage:
    """The one message of an email with one delivery."""
    (message,) = stack.sandbox.messages(delivery=sent["deliveries"][0]["id"])
    assert message["count"] == 1
    parsed = email.message_from_string(message["raw"], policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()
