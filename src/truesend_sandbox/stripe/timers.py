"""The clock at work: what falls due for subscriptions and Checkout sessions, in the order of time."""

from __future__ import annotations

import json

from truesend_sandbox.stripe import events, lifecycle, objects, webhooks
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.world import World

_MOST = 20_000
"""Steps at one go: a clock moved by years with daily prices must not hold everybody up for ever."""


def catch_up(world: World) -> None:
    """Everything that is due by the clock has happened; part of the caller's transaction."""
    now = world.clock.now()
    for _ in range(_MOST):
        row = world.store.one(
            "SELECT kind, next_at, data FROM stripe_objects WHERE next_at <= ? ORDER BY next_at, seq LIMIT 1",
            now,
        )
        if row is None:
            return
        thing: Thing = json.loads(row["data"])
        if row["kind"] == "checkout.session":
            expire_session(world, thing, row["next_at"])
            continue
        step = lifecycle.upcoming(thing)
        if step is None or step[0] > now:
            lifecycle.save(world, thing)
        else:
            lifecycle.step(world, thing, step[1], step[0])


def expire_session(world: World, session: Thing, at: float) -> None:
    """It was not used in time, or is ended by its owner."""
    session |= {"status": "expired", "url": None}
    objects.put(world, session)
    events.emit(world, "checkout.session.expired", session, at)


def elapse(world: World) -> None:
    """Called again and again, and when the clock was moved."""
    if world.store.value("SELECT 1 FROM stripe_objects WHERE next_at <= ?", world.clock.now()) is not None:
        with world.store.write():
            catch_up(world)
    if webhooks.due(world):
        webhooks.wake(world)
