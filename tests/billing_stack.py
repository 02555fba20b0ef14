"""A stack that bills, with a Stripe in its sandbox; and what an owner does on Stripe's pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from tests import stack as stacks
from tests.stack import Person, Stack

DAY = 86_400
SETTINGS = {"TRUESEND_BILLING": "stripe", "TRUESEND_COPIES_PER_MINUTE": "6000"}


@contextmanager
def billing(data: Path) -> Iterator[Stack]:
    """A running ``truesend up --sandbox`` with ``TRUESEND_BILLING=stripe``."""
    with stacks.running(data, settings=SETTINGS) as running:
        yield running


def state_of(person: Person) -> str:
    """The state that the billing page shows: trial, active, past_due or inactive."""
    page = person.get("/account/billing")
    assert page.status_code == 200, page.text
    found = re.search(r'data-state="(\w+)"', page.text)
    assert found, page.text
    return found[1]


def gate_of(person: Person, **draft: Any) -> dict[str, Any]:
    """The gate `account` as the API shows it."""
    gates = person.api("POST", "readiness", {"to": ["a@b.example"], "subject": "x", **draft}).json()["gates"]
    found: dict[str, Any] = next(one for one in gates if one["name"] == "account")
    return found


def checkout(owner: Person, tier: str = "business") -> str:
    """Press “Choose” or “Reactivate”; the address of Stripe's page."""
    answer = owner.post("/account/billing/checkout", {"tier": tier}, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def press(url: str, act: str, **fields: str) -> str:
    """Press a button on one of Stripe's pages; where it leads."""
    answer = requests.post(url, data={"act": act, **fields}, timeout=30, allow_redirects=False)
    assert answer.status_code in {200, 303}, answer.text
    return answer.headers.get("Location", "")


def subscribe(owner: Person, tier: str = "business", act: str = "pay") -> requests.Response:
    """All the way to Stripe and back; the page come back to."""
    back = press(checkout(owner, tier), act)
    assert back.startswith(f"{owner.stack.url}/account/billing?checkout=cs_"), back
    page = owner.get(back.removeprefix(owner.stack.url))
    assert page.status_code == 200, page.text
    return page


def portal(owner: Person) -> str:
    """The address of Stripe's portal."""
    answer = owner.post("/account/billing/portal", allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def subscription_of(owner: Person) -> str:
    """The id of the newest subscription, as the portal shows it."""
    page = requests.get(portal(owner), timeout=30).text
    found = re.findall(r"\bsub_\w+", page)
    assert found, page
    return str(found[0])


def webhooks(stack: Stack) -> list[dict[str, Any]]:
    """Every delivery that the sandbox made or is to make."""
    told: list[dict[str, Any]] = stack.sandbox.control("GET", "stripe/webhooks")["items"]
    return told


def all_delivered(stack: Stack) -> bool:
    """Whether no delivery waits, but what was not believed: that is tried for days."""
    return all(one["state"] != "waiting" or one["status"] == 400 for one in webhooks(stack))
