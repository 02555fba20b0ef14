"""`/_sandbox/stripe/…`: what only Stripe needs to be steered by."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from truesend_sandbox.control import answered
from truesend_sandbox.mailbox.act import NoSuchThing
from truesend_sandbox.stripe import cards, objects, storm, timers, webhooks
from truesend_sandbox.stripe.switches import SIGNATURES
from truesend_sandbox.world import World


def _only(body: dict[str, Any], what: str, *known: str) -> None:
    strange = set(body) - set(known)
    if strange:
        raise ValueError(f"{what} has no {', '.join(sorted(strange))}")


def _signature(body: dict[str, Any], default: str | None) -> str | None:
    chosen = body.get("signature", default)
    if chosen is not None and chosen not in SIGNATURES:
        raise ValueError(f"signature must be one of {', '.join(SIGNATURES)}")
    return chosen


def _listens(world: World) -> None:
    if not webhooks.endpoint(world):
        raise ValueError("there is no endpoint: set the switch webhook_endpoint")


async def _told(world: World, request: web.Request, _: dict[str, Any]) -> object:
    strange = set(request.query) - {"event"}
    if strange:
        raise ValueError(f"webhooks are not found by {', '.join(sorted(strange))}")
    return webhooks.told(world, request.query.get("event"))


async def _again(world: World, _: web.Request, body: dict[str, Any]) -> object:
    _only(body, "a webhook", "event", "signature", "delay")
    _listens(world)
    found = webhooks.event_of(world, body.get("event"))
    if found is None:
        raise NoSuchThing(f"there is no event {body.get('event')}")
    delay = body.get("delay", 0)
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= 1e9:
        raise ValueError("delay must be a number of seconds")
    webhooks.deliver(world, found[0]["id"], found[1], world.clock.now() + delay, _signature(body, None))
    webhooks.wake(world)
    return web.json_response({"event": found[0]["id"]}, status=201)


async def _forge(world: World, _: web.Request, body: dict[str, Any]) -> object:
    _only(body, "a forged webhook", "type", "object", "signature")
    _listens(world)
    kind, thing = body.get("type"), body.get("object")
    if not isinstance(kind, str) or not kind:
        raise ValueError("type must be the name of an event")
    if isinstance(thing, str):
        row = world.store.value("SELECT data FROM stripe_objects WHERE id = ?", thing)
        if row is None:
            raise NoSuchThing(f"there is no object {thing}")
        thing = json.loads(row)
    if not isinstance(thing, dict):
        raise ValueError("object must be an id, or an object as the event is to have it")
    event = storm.forge(world, kind, thing)
    sent = json.dumps(event).encode()
    status = await webhooks.send(world, sent, world.clock.now(), _signature(body, "wrong_secret"))
    return {"event": event["id"], "status": status}


async def _card(world: World, _: web.Request, body: dict[str, Any]) -> object:
    _only(body, "a card", "customer", "card")
    kind = body.get("card")
    if kind not in cards.KINDS:
        raise ValueError(f"card must be one of {', '.join(cards.KINDS)}")
    found = objects.find(world, "customer", body.get("customer"))
    if found is None or found.get("deleted"):
        raise NoSuchThing(f"there is no customer {body.get('customer')}")
    with world.store.write():
        timers.catch_up(world)
        given = cards.give(world, found["id"], kind, world.clock.now())
    return {"customer": found["id"], "payment_method": None if given is None else given["id"]}


async def _storm(world: World, _: web.Request, body: dict[str, Any]) -> object:
    return storm.rage(world, storm.check(world, body))


def routes(_: World) -> list[web.RouteDef]:
    """The addresses below `/_sandbox/stripe`."""
    return [
        web.get("/_sandbox/stripe/webhooks", answered(_told)),
        web.post("/_sandbox/stripe/webhooks", answered(_again)),
        web.post("/_sandbox/stripe/forge", answered(_forge)),
        web.post("/_sandbox/stripe/cards", answered(_card)),
        web.post("/_sandbox/stripe/storm", answered(_storm)),
    ]
