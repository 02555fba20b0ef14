"""A storm of Stripe's events: one organization is told in order and once, another shuffled, twice, late, among copies
that are stale or forged. Both end as Stripe says, and alike."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
from tests.billing_stack import DAY, all_delivered, subscribe, webhooks
from tests.stack import Person, Stack, until

_LIVE = {"active": "active", "trialing": "trial", "past_due": "past_due"}
# Stripe's statuses from the best to the worst, as docs/billing.md has them.
_BEST = ("active", "trialing", "past_due")
_SPOILED = 0.05


@dataclass
class Books:
    """What came, and how each organization ended: {state, tier, ends}, by us and by Stripe."""

    seed: int
    events: int = 0
    deliveries: int = 0
    refused: int = 0
    seconds: float = 0.0
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_stripe: dict[str, dict[str, Any]] = field(default_factory=dict)

    def shortfalls(self, events: int) -> list[str]:
        """What is not as promised; empty where everything is."""
        short = []
        if self.events < events:
            short.append(f"only {self.events} of {events} events were made")
        if self.deliveries < self.events * 1.3:
            short.append(f"only {self.deliveries} deliveries of {self.events} events")
        if not self.refused:
            short.append("nothing forged or stale was refused")
        for name, found in self.ended.items():
            if found != self.by_stripe[name]:
                short.append(f"{name} ended as {found}, and Stripe says {self.by_stripe[name]}")
        if len({str(one) for one in self.ended.values()}) != 1:
            short.append(f"they ended otherwise: {self.ended}")
        return short

    def __str__(self) -> str:
        return (
            f"{self.events} events of Stripe in {self.deliveries} deliveries, {self.refused} of them stale or forged, "
            f"seed {self.seed}: {next(iter(self.ended.values()), {})} both times, {self.seconds:.0f} s"
        )


def storm(stack: Stack, *, events: int, seed: int) -> Books:
    """Let the same things happen to two organizations, and tell them of it well and badly."""
    books, began = Books(seed), time.monotonic()
    calm, wild = (stack.person(organization=f"Storm {uuid4()}") for _ in range(2))
    stack.sandbox.advance(30 * DAY + 60)
    for owner in (calm, wild):
        subscribe(owner)
    until(lambda: all_delivered(stack), bool, 60)
    known = {one["id"] for one in webhooks(stack)}
    ways: dict[str, tuple[Person, dict[str, Any], str]] = {
        "in order": (calm, {"shuffle": False, "duplicates": 0}, "kept"),
        "shuffled": (
            wild,
            {"shuffle": True, "duplicates": 0.3, "seconds": 600, "stale": _SPOILED, "forged": _SPOILED},
            "shuffled",
        ),
    }
    for name, (owner, wish, order) in ways.items():
        stack.sandbox.switch("stripe", webhook_order=order)
        customer = _customer(stack, owner)
        made = stack.sandbox.control(
            "POST", "stripe/storm", {"events": events, "customers": [customer], "seed": seed, **wish}
        )
        if name == "shuffled":
            books.events, books.deliveries = made["events"], made["deliveries"]
        _settle(stack, events)
        account = owner.api("GET", "me").json()["account"]
        books.ended[name] = {
            "state": account["state"],
            "tier": account["tier"],
            "ends": account["stops_at"] is not None,
        }
        books.by_stripe[name] = _said(_subscriptions(stack, customer))
    stack.sandbox.switch("stripe", webhook_order="kept")
    books.refused = sum(one["status"] == 400 for one in webhooks(stack) if one["id"] not in known)
    books.seconds = time.monotonic() - began
    return books


def _settle(stack: Stack, events: int) -> None:
    """Until nothing is to be delivered any more but what was refused, which Stripe tries for days."""
    stack.sandbox.advance(660)
    until(lambda: all_delivered(stack), bool, 120 + events / 4)
    # An event that was refused when Stripe was asked too often comes again.
    stack.sandbox.advance(600)
    until(lambda: all_delivered(stack), bool, 60)


def _said(subscriptions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What Stripe's answers mean, by the table of docs/billing.md and nothing of ours."""
    live = [one for one in subscriptions if one["status"] in _LIVE]
    if not live:
        return {"state": "inactive", "tier": None, "ends": False}
    tiers = ("starter", "business", "premium")

    def worth(one: dict[str, Any]) -> tuple[int, int]:
        return _BEST.index(one["status"]), -tiers.index(_tier(one))

    best = min(live, key=worth)
    tries = best["status"] == "trialing"
    ends = best["status"] == "past_due" or best["cancel_at"] is not None
    return {"state": _LIVE[best["status"]], "tier": "premium" if tries else _tier(best), "ends": ends}


def _tier(one: dict[str, Any]) -> str:
    return str(one["items"]["data"][0]["price"]["id"]).split("_")[2]


def _customer(stack: Stack, owner: Person) -> str:
    (found,) = _stripe(stack, "customers", email=owner.email)
    return str(found["id"])


def _subscriptions(stack: Stack, customer: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = {"starting_after": found[-1]["id"]} if found else {}
        page = _stripe(stack, "subscriptions", customer=customer, status="all", limit="100", **after)
        found += page
        if len(page) < 100:
            return found


def _stripe(stack: Stack, path: str, **query: str) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{stack.up.sandbox_url}/v1/{path}",
        params=query,
        headers={"Authorization": "Bearer sk_test_sandbox"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found
