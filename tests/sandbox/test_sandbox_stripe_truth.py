"""Whatever happens to subscriptions, the events tell all of it: who only listened knows what the API says."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.sandbox.stripe_client import DAY, MONTHLY, PREMIUM, YEARLY, Stripe
from tests.sandbox_process import Sandbox

_OVER = {"canceled", "incomplete_expired"}


def _live(stripe: Stripe, sandbox: Sandbox, chance: random.Random, customer: str) -> None:
    """One thing a customer, a bank or time does."""
    url = stripe.portal(customer)
    alive = stripe.api.subscriptions.list({"customer": customer, "status": "all", "limit": 100}).data
    alive = [sub for sub in alive if sub.status not in _OVER]
    if not alive or chance.random() < 0.05:
        more: dict[str, Any] = {"line_items": [{"price": chance.choice([MONTHLY, YEARLY])}]}
        act = chance.choice(["pay", "pay_once", "start"])
        if act == "start" or chance.random() < 0.3:
            behavior = chance.choice(["cancel", "pause", "create_invoice"])
            ends = {"end_behavior": {"missing_payment_method": behavior}}
            more["subscription_data"] = {"trial_period_days": chance.choice([1, 14]), "trial_settings": ends}
            more["payment_method_collection"] = "if_required"
        stripe.subscribe(customer, act, **more)
        return
    sub = chance.choice(alive).id
    act = chance.choice(
        [
            "update",
            "cancel_later",
            "resume",
            "break_card",
            "remove_card",
            "fix_card",
            "fix_card",
            *["time"] * 5,
            *(["cancel_now"] if chance.random() < 0.2 else []),
        ]
    )
    if act == "time":
        sandbox.advance(chance.choice([3600, DAY, 4 * DAY, 9 * DAY, 25 * DAY]))
    else:
        price = chance.choice([MONTHLY, PREMIUM, YEARLY])
        stripe.press(url, act, subscription=sub, price=price)


def _follows(before: dict[str, Any], told: dict[str, Any]) -> None:
    """What an event says there was before is what the last one has left."""
    for name, old in told["data"]["previous_attributes"].items():
        if not isinstance(old, dict):
            assert before[name] == old, name
            assert told["data"]["object"][name] != old


@pytest.mark.parametrize("seed", range(3))
def test_the_last_event_is_what_the_api_says(stripe: Stripe, sandbox: Sandbox, seed: int) -> None:
    chance = random.Random(seed)
    sandbox.switch(
        "stripe",
        dunning_ends=chance.choice(["canceled", "unpaid", "past_due"]),
        fixed_card_pays=chance.random() < 0.5,
    )
    customer = stripe.customer()
    known: dict[str, dict[str, Any]] = {}
    invoices: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    for _ in range(25):
        _live(stripe, sandbox, chance, customer)
        for event in stripe.events():
            if event.id in seen:
                continue
            seen.add(event.id)
            told = event.to_dict()
            thing = told["data"]["object"]
            if event.type.startswith("invoice."):
                invoices[thing["id"]] = thing
            if not event.type.startswith("customer.subscription."):
                continue
            before = known.get(thing["id"])
            if event.type == "customer.subscription.updated":
                assert before is not None, "nothing changes before it was made"
                _follows(before, told)
            if before is not None:
                assert before["status"] not in _OVER, "what has ended stays so"
            known[thing["id"]] = thing
        for identifier, thing in known.items():
            now = stripe.subscription(identifier).to_dict()
            assert now == thing
            last = invoices[now["latest_invoice"]]
            assert last["parent"]["subscription_details"]["subscription"] == identifier
            if now["status"] in ("past_due", "unpaid"):
                assert last["status"] in ("open", "draft")
            if now["status"] == "trialing":
                assert now["trial_end"] == now["items"]["data"][0]["current_period_end"]
    for identifier, thing in invoices.items():
        assert stripe.api.invoices.retrieve(identifier).to_dict() == thing
    assert len(seen) > 50
