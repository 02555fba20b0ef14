"""Events: written in the transaction of what they tell, rendered once, delivered by `webhooks` (stripe.md §4)."""

from __future__ import annotations

import copy
import json
from contextvars import ContextVar
from typing import Any

from truesend_sandbox.stripe import versions, webhooks
from truesend_sandbox.stripe.objects import Thing, new_id, public
from truesend_sandbox.stripe.switches import PROVIDER
from truesend_sandbox.world import World

CAUSE: ContextVar[tuple[str | None, str | None]] = ContextVar("CAUSE", default=(None, None))
"""Request-Id and Idempotency-Key of the call that something is done in; none: it happened by itself."""


def difference(old: Any, new: Any) -> Any:
    """What `old` held where `new` is another: of objects only the fields that differ, of lists everything."""
    changed = {}
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        both = isinstance(before, dict) and isinstance(after, dict)
        changed[name] = difference(before, after) if both else before
    return changed


def build(world: World, kind: str, thing: Thing, at: float, old: Thing | None = None) -> Thing:
    """An event about the object as it is now; `old` is the object before, for those that say what has changed."""
    version = world.switches.get(PROVIDER, "api_version")
    shown = versions.render(copy.deepcopy(public(thing)), version)
    data: Thing = {"object": shown}
    if old is not None:
        data["previous_attributes"] = difference(versions.render(copy.deepcopy(public(old)), version), shown)
    request, key = CAUSE.get()
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": version,
        "created": int(at),
        "data": data,
        "livemode": False,
        "pending_webhooks": 1 if webhooks.endpoint(world) else 0,
        "request": {"id": request, "idempotency_key": key},
        "type": kind,
    }


def emit(world: World, kind: str, thing: Thing, at: float, old: Thing | None = None) -> Thing:
    """Something has happened: noted, and on its way to the endpoint."""
    event = build(world, kind, thing, at, old)
    world.store.run(
        "INSERT INTO stripe_events (id, type, at, data) VALUES (?, ?, ?, ?)",
        event["id"],
        kind,
        at,
        json.dumps(event),
    )
    webhooks.schedule(world, event["id"], at)
    return event
