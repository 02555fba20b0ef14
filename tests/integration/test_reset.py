"""“Reset this connection”: consent, a real send with the new key, and only then the old one is given up."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import requests
from tests.connections import ledger, proved, when
from tests.consents import notice
from tests.stack import Person, Stack

READS = "capabilities=send,read&kind=personal"


def words(page: requests.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def reset(person: Person, connection: dict[str, Any]) -> requests.Response:
    """The button on the page that says what happens."""
    page = person.get(f"/connections/{connection['id']}/reset")
    assert "is accepted" in words(page) or "has accepted it" in words(page)
    forms = re.findall(r'<form method="get" action="(/oauth/\w+/start)">(.*?)</form>', page.text, re.S)
    found = [(action, dict(re.findall(r'name="(\w+)" value="([^"]*)"', inside))) for action, inside in forms]
    ((action, fields),) = [one for one in found if one[1].get("reset") == "1"]
    return person.get(action, params=fields)


def sent_to(stack: Stack, address: str) -> int:
    return sum("Truesend can send" in one["raw"] for one in stack.sandbox.messages(to=address))


def test_a_reset_proves_and_replaces(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana, query=READS)
    later = ana.send(connection["id"], send_at="2099-01-01T00:00:00Z")["id"]
    tests_before = sent_to(stack, ana.email)
    stack.sandbox.consent(ana.email)
    page = reset(ana, connection)
    assert f"{ana.email} is reset." in words(page)
    assert sent_to(stack, ana.email) == tests_before + 1
    after = ana.connection(connection["id"])
    assert after["verdict"] == "working"
    assert after["id"] == connection["id"]
    assert ana.api("GET", f"emails/{later}").json()["status"] == "scheduled"
    kinds = [(one["kind"], one["result"]) for one in ledger(ana, connection["id"])]
    assert kinds.count(("consent", "ok")) == 2
    assert ana.email_when(ana.send(connection["id"])["id"], "sent")


def test_a_broken_one_is_reset_to_working(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    stack.sandbox.fault("any", "revoke_grant", account=ana.email, times=1)
    ana.api("POST", f"connections/{connection['id']}/verify")
    when(ana, connection["id"], lambda one: one["verdict"] == "broken")
    stack.sandbox.consent(ana.email)
    reset(ana, connection)
    assert ana.connection(connection["id"])["verdict"] == "working"


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "refused": ("admin_policy", {"kind": "admin_block"}),
    "cut_off": ("provider_cut_off", {"kind": "lost_answer"}),
    "faulty": ("provider_error", {"kind": "status", "status": 500, "body": ""}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_send_that_is_not_accepted_changes_nothing(stack: Stack, name: str) -> None:
    cause, fault = REFUSED[name]
    ana = stack.person()
    connection = proved(ana)
    stack.sandbox.consent(ana.email)
    number = stack.sandbox.control(
        "POST",
        "faults",
        {"provider": "google", "account": ana.email, "operation": "send", "times": 1, **fault},
    )["id"]
    page = reset(ana, connection)
    stack.sandbox.control("DELETE", f"faults/{number}")
    assert f"cause={cause}" in page.url
    assert notice(page).startswith("Not reset.")
    assert "Nothing was changed." in notice(page)
    after = ana.connection(connection["id"])
    assert (after["verdict"], after["cause"]) == ("working", None)
    assert ana.email_when(ana.send(connection["id"])["id"], "sent")  # by the old key
    newest = next(one for one in ledger(ana, connection["id"]) if one["kind"] == "consent")
    assert newest["result"] == cause


def test_the_wrong_account_resets_nothing(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana, query=READS)
    other = f"other-{ana.email}"
    stack.sandbox.account(other)
    before = sent_to(stack, other)
    stack.sandbox.consent(ana.email, as_account=other)
    page = reset(ana, connection)
    chose = f"You chose {other}; the one to reconnect is {ana.email}. Nothing was changed."
    assert notice(page).startswith(f"Not reset. {chose}")
    assert "Reset this connection" in page.text
    assert sent_to(stack, other) == before
    assert ana.connection(connection["id"])["verdict"] == "working"
