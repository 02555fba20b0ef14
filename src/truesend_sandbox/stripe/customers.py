"""`/v1/customers`."""

from __future__ import annotations

import copy
from typing import Any

from truesend_sandbox.stripe import events, forms, lifecycle, objects, shapes
from truesend_sandbox.stripe.errors import invalid
from truesend_sandbox.stripe.forms import Params
from truesend_sandbox.stripe.gateway import Asked
from truesend_sandbox.stripe.objects import Thing, page
from truesend_sandbox.world import World

UPDATE = (
    "address",
    "balance",
    "business_name",
    "cash_balance",
    "default_source",
    "description",
    "email",
    "individual_name",
    "invoice_prefix",
    "invoice_settings",
    "metadata",
    "name",
    "next_invoice_sequence",
    "phone",
    "preferred_locales",
    "shipping",
    "source",
    "tax",
    "tax_exempt",
    "validate",
)
CREATE = (
    *(name for name in UPDATE if name != "default_source"),
    "payment_method",
    "tax_id_data",
    "test_clock",
)
LIST = ("created", "email", "ending_before", "limit", "starting_after", "test_clock")

_TEXTS = ("description", "email", "name", "phone")


def _apply(world: World, customer: Thing, params: Params) -> None:
    for name in _TEXTS:
        if name in params:
            customer[name] = forms.text(params, name, 512)
    email = customer["email"]
    if "email" in params and email is not None and not _plausible(email):
        raise invalid("email", f"Invalid email address: {email}", "email_invalid")
    if "address" in params:
        given = forms.hash_of(params, "address")
        address: dict[str, Any] = {name: forms.text(given, name) for name in shapes.ADDRESS}
        customer["address"] = address if given else None
    if "preferred_locales" in params:
        customer["preferred_locales"] = [str(one) for one in forms.list_of(params, "preferred_locales")]
    if "tax_exempt" in params:
        customer["tax_exempt"] = forms.one_of(params, "tax_exempt", ("none", "exempt", "reverse"), "none")
    settings = forms.hash_of(params, "invoice_settings")
    if "default_payment_method" in settings:
        chosen = settings["default_payment_method"] or None
        if chosen is not None:
            param = "invoice_settings[default_payment_method]"
            card = objects.need(world, "payment_method", chosen, param)
            if card["customer"] != customer["id"]:
                raise invalid(param, "The payment method must be attached to the customer.")
        customer["invoice_settings"]["default_payment_method"] = chosen
    customer["metadata"] = forms.metadata(params, customer["metadata"])


def _plausible(email: str) -> bool:
    name, at, domain = email.rpartition("@")
    return bool(at and name and domain) and not any(character.isspace() for character in email)


def create(asked: Asked) -> Thing:
    """`POST /v1/customers`."""
    at = asked.call.now
    customer = shapes.customer(at)
    _apply(asked.world, customer, asked.params)
    objects.put(asked.world, customer)
    events.emit(asked.world, "customer.created", customer, at)
    return customer


def get(asked: Asked) -> Thing:
    """`GET /v1/customers/{id}`; one that was deleted says only that."""
    return objects.need(asked.world, "customer", asked.id)


def living(world: World, identifier: object, param: str) -> Thing:
    """The customer named in a parameter. Raises `Refusal`, also for one that was deleted."""
    customer = objects.need(world, "customer", identifier, param)
    if customer.get("deleted"):
        raise invalid(param, f"No such customer: '{identifier}'", "resource_missing")
    return customer


def update(asked: Asked) -> Thing:
    """`POST /v1/customers/{id}`."""
    customer = living(asked.world, asked.id, "id")
    before = copy.deepcopy(customer)
    _apply(asked.world, customer, asked.params)
    objects.put(asked.world, customer)
    if customer != before:
        events.emit(asked.world, "customer.updated", customer, asked.call.now, before)
    return customer


def delete(asked: Asked) -> Thing:
    """`DELETE /v1/customers/{id}`: its subscriptions end too."""
    at = asked.call.now
    customer = living(asked.world, asked.id, "id")
    for sub in objects.all_of(asked.world, "subscription", customer["id"]):
        if sub["status"] not in lifecycle.DEAD:
            lifecycle.end(asked.world, sub, at, None)
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    events.emit(asked.world, "customer.deleted", objects.need(asked.world, "customer", customer["id"]), at)
    objects.put(asked.world, gone)
    return gone


def listing(asked: Asked) -> Thing:
    """`GET /v1/customers?email=`."""
    found = [one for one in objects.all_of(asked.world, "customer") if not one.get("deleted")]
    if "email" in asked.params:
        found = [one for one in found if one["email"] == asked.params["email"]]
    return page([one for one in found if asked.created(one)], asked.params, "/v1/customers")


def payment_methods(asked: Asked) -> Thing:
    """`GET /v1/customers/{id}/payment_methods`."""
    living(asked.world, asked.id, "id")
    found = objects.all_of(asked.world, "payment_method", asked.id)
    return page(found, asked.params, f"/v1/customers/{asked.id}/payment_methods")
