"""`/stripe`: what Stripe knows and what it has told, for whoever wonders why nothing happens."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox.pages import render
from truesend_sandbox.stripe import lifecycle, objects, periods, timers, webhooks
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.stripe.words import amount, every
from truesend_sandbox.world import WORLD, World

_MOST = 50
_STEPS = {
    "end": "ends",
    "expire": "expires unless it is paid",
    "finalize": "is charged",
    "renew": "renews",
    "retry": "is charged again",
    "trial_end": "ends its trial",
    "warn": "is warned that the trial ends",
}


def _subscription(world: World, sub: Thing) -> dict[str, Any]:
    price = periods.first(sub)["price"]
    product = objects.find(world, "product", price["product"])
    owner = objects.find(world, "customer", sub["customer"])
    step = lifecycle.upcoming(sub)
    return {
        "id": sub["id"],
        "customer": (owner and (owner.get("email") or owner.get("name"))) or sub["customer"],
        "name": product["name"] if product else price["id"],
        "cost": f"{amount(price, periods.first(sub)['quantity'])} {every(price)}",
        "status": sub["status"],
        "next": None if step is None else {"at": step[0], "does": _STEPS[step[1]]},
    }


def _events(world: World) -> list[dict[str, Any]]:
    rows = world.store.all("SELECT id, type, at FROM stripe_events ORDER BY seq DESC LIMIT ?", _MOST)
    shown = []
    for row in rows:
        tries = webhooks.told(world, row["id"])["items"]
        states = [
            f"{one['state']}, answered {one['status']}" if one["status"] else one["state"] for one in tries
        ]
        shown.append({"type": row["type"], "at": row["at"], "sent": "; ".join(states) or "sent to nobody"})
    return shown


async def show(request: web.Request) -> web.StreamResponse:
    """Subscriptions with what the clock does to them next, and the last events with what became of them."""
    world = request.app[WORLD]
    with world.store.write():
        timers.catch_up(world)
    found = objects.all_of(world, "subscription")
    return render(
        world,
        "stripe.html",
        subscriptions=[_subscription(world, sub) for sub in found[:_MOST]],
        more=len(found) > _MOST,
        events=_events(world),
        endpoint=webhooks.endpoint(world),
        now=world.clock.now(),
    )
