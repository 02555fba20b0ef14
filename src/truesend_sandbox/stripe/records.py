"""Invoices and events as the API gives them: nothing here changes anything."""

from __future__ import annotations

import json
from typing import Any

from truesend_sandbox.stripe import forms, objects
from truesend_sandbox.stripe.errors import missing
from truesend_sandbox.stripe.gateway import Asked
from truesend_sandbox.stripe.objects import Thing, page
from truesend_sandbox.world import World

RETENTION = 30 * 86_400
"""Seconds an event can be fetched: 30 days, as the library's own text says."""
EVENTS = ("created", "delivery_success", "ending_before", "limit", "starting_after", "type", "types")
INVOICES = (
    "collection_method",
    "created",
    "customer",
    "customer_account",
    "due_date",
    "ending_before",
    "limit",
    "starting_after",
    "status",
    "subscription",
)


def _kept(world: World, where: str, *params: Any) -> list[Thing]:
    rows = world.store.all(
        f"SELECT data FROM stripe_events WHERE at >= ? AND {where} ORDER BY seq DESC",  # noqa: S608  # of ours
        world.clock.now() - RETENTION,
        *params,
    )
    return [json.loads(row["data"]) for row in rows]


def event(asked: Asked) -> Thing:
    """`GET /v1/events/{id}`, for 30 days."""
    found = _kept(asked.world, "id = ?", asked.id)
    if not found:
        raise missing("event", asked.id)
    return found[0]


def events(asked: Asked) -> Thing:
    """`GET /v1/events?type=&types[]=&created[gte]=`."""
    params = asked.params
    kinds = [*forms.list_of(params, "types"), *([params["type"]] if "type" in params else [])]
    found = _kept(asked.world, "1")
    if kinds:
        found = [event for event in found if event["type"] in kinds]
    return page([event for event in found if asked.created(event)], params, "/v1/events")


def invoice(asked: Asked) -> Thing:
    """`GET /v1/invoices/{id}`."""
    return objects.need(asked.world, "invoice", asked.id)


def invoices(asked: Asked) -> Thing:
    """`GET /v1/invoices?customer=&subscription=&status=`."""
    params = asked.params
    found = objects.all_of(asked.world, "invoice", forms.text(params, "customer"))
    if "subscription" in params:
        found = [one for one in found if one["_"]["subscription"] == params["subscription"]]
    if "status" in params:
        found = [one for one in found if one["status"] == params["status"]]
    return page([one for one in found if asked.created(one)], params, "/v1/invoices")
