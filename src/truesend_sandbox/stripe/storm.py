"""Storms: many real changes at once, whose events then come shuffled, twice, late, badly signed.

The changes are those a customer or a bank makes, so that the subscriptions stand at the end where the API says they
stand, whatever the order their events arrive in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from truesend_sandbox.stripe import cards, events, lifecycle, objects, periods, timers, webhooks
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.world import World

MOST = 20_000


@dataclass(frozen=True)
class Wish:
    """What a storm is to be like; shares are of 0 to 1, seconds by the sandbox's clock."""

    events: int
    customers: tuple[str, ...]
    seed: int
    shuffle: bool
    duplicates: float
    seconds: float
    stale: float
    forged: float


def _number(body: dict[str, Any], name: str, default: float, most: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{name} must be a number from 0 to {most:g}")
    return float(value)


def check(world: World, body: dict[str, Any]) -> Wish:
    """The body of `POST storm` as a wish. Raises `ValueError`."""
    names = ("events", "customers", "seed", "shuffle", "duplicates", "seconds", "stale", "forged")
    strange = set(body) - set(names)
    if strange:
        raise ValueError(f"a storm has no {', '.join(sorted(strange))}")
    asked = body.get("customers")
    if asked is None:
        asked = [one["id"] for one in objects.all_of(world, "customer") if not one.get("deleted")]
    if not isinstance(asked, list) or not asked:
        raise ValueError("customers must be a list of ids, and there must be one")
    for one in asked:
        if objects.find(world, "customer", one) is None:
            raise ValueError(f"there is no customer {one}")
    if not isinstance(body.get("shuffle", True), bool):
        raise ValueError("shuffle must be true or false")
    return Wish(
        events=int(_number(body, "events", 100, MOST)),
        customers=tuple(asked),
        seed=int(_number(body, "seed", 1, 2**31)),
        shuffle=body.get("shuffle", True),
        duplicates=_number(body, "duplicates", 0.3, 1),
        seconds=_number(body, "seconds", 0, 86_400 * 30),
        stale=_number(body, "stale", 0, 1),
        forged=_number(body, "forged", 0, 1),
    )


def rage(world: World, wish: Wish) -> dict[str, Any]:
    """Do it in one transaction: `{events, deliveries, subscriptions}`. Raises `ValueError` where nothing can happen."""
    chance = random.Random(wish.seed)  # noqa: S311  # a test wants the same storm again
    with world.store.write():
        timers.catch_up(world)
        with webhooks.held() as made:
            idle = 0
            while len(made) < wish.events:
                before = len(made)
                _change(world, chance.choice(wish.customers), chance)
                idle = idle + 1 if len(made) == before else 0
                if idle > 500:
                    raise ValueError("none of these customers has a subscription or a price to subscribe to")
        sent = _send(world, wish, made, chance)
    webhooks.wake(world)
    subscriptions = [sub for one in wish.customers for sub in objects.all_of(world, "subscription", one)]
    return {
        "events": len(made),
        "deliveries": sent,
        "subscriptions": [
            {
                "id": sub["id"],
                "customer": sub["customer"],
                "status": sub["status"],
                "price": periods.first(sub)["price"]["id"],
                "cancel_at_period_end": sub["cancel_at_period_end"],
            }
            for sub in subscriptions
        ],
    }


def _send(world: World, wish: Wish, made: list[str], chance: random.Random) -> int:
    if not webhooks.endpoint(world):
        return 0
    order = list(made)
    order += chance.sample(made, int(len(made) * wish.duplicates))
    if wish.shuffle:
        chance.shuffle(order)
    now = world.clock.now()
    spoiled = 0
    for event in order:
        lot = chance.random()
        signature = (
            "stale" if lot < wish.stale else "wrong_secret" if lot < wish.stale + wish.forged else None
        )
        late = chance.random() * wish.seconds
        webhooks.deliver(world, event, now, now + late, signature)
        if signature is not None:
            # What is badly signed is a copy; the event itself comes as well, or the storm would lose it.
            webhooks.deliver(world, event, now, now + late)
            spoiled += 1
    return len(order) + spoiled


def _change(world: World, customer: str, chance: random.Random) -> None:
    """Something happens to a customer."""
    now = world.clock.now()
    living = [
        sub for sub in objects.all_of(world, "subscription", customer) if sub["status"] not in lifecycle.DEAD
    ]
    prices = [one for one in objects.all_of(world, "price") if one["active"] and one["recurring"]]
    lot = chance.random()
    if not living:
        if prices:
            cards.give(world, customer, "good", now)
            owner = objects.need(world, "customer", customer)
            lifecycle.begin(world, owner, [(chance.choice(prices), 1)], now)
        return
    sub = chance.choice(living)
    if lot < 0.3:
        lifecycle.change_price(world, sub, periods.first(sub), chance.choice(prices), now)
    elif lot < 0.55:
        lifecycle.cancel_later(world, sub, now, not sub["cancel_at_period_end"])
    elif lot < 0.75:
        _fail_or_heal(world, sub, now)
    elif lot < 0.95:
        _annotate(world, sub, chance, now)
    else:
        lifecycle.end(world, sub, now, "cancellation_requested")


def _fail_or_heal(world: World, sub: Thing, now: float) -> None:
    if sub["status"] in ("past_due", "unpaid", "incomplete"):
        cards.give(world, sub["customer"], "good", now)
        lifecycle.pay_due(world, sub, now)
    elif sub["status"] == "active":
        cards.give(world, sub["customer"], "declined", now)
        lifecycle.bill_now(world, sub, now)


def _annotate(world: World, sub: Thing, chance: random.Random, now: float) -> None:
    before = {**sub, "metadata": dict(sub["metadata"])}
    sub["metadata"]["note"] = str(chance.randrange(1_000_000))
    lifecycle.changed(world, sub, before, now)


def forge(world: World, kind: str, thing: Thing) -> Thing:
    """An event that never was: it cannot be fetched, and whoever sends it does not know the secret."""
    return events.build(world, kind, thing, world.clock.now())
