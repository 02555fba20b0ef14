"""Connections as tests bring them about and look at them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.stack import Person, until


def proved(person: Person, **connect: Any) -> dict[str, Any]:
    """A connection that works: an accepted send since its consent."""
    connection = person.connect(**connect)
    answer = person.api("POST", f"connections/{connection['id']}/test-email")
    assert answer.status_code == 201, answer.text
    person.email_when(answer.json()["id"], "sent")
    return when(person, connection["id"], lambda one: one["verdict"] == "working")


def when(person: Person, connection_id: str, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The connection once it is ``good``."""
    found: dict[str, Any] = until(lambda: person.connection(connection_id), good, 15)
    return found


def ledger(person: Person, connection_id: str) -> list[dict[str, Any]]:
    """What happened to it, newest first."""
    items: list[dict[str, Any]] = person.api("GET", f"connections/{connection_id}/ledger").json()["items"]
    return items
