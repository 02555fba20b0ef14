"""Cards: one a customer at a time, good, or declined at each charge."""

from __future__ import annotations

import copy

from truesend_sandbox.stripe import events, objects, shapes
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.world import World

KINDS = ("good", "declined", "none")


def give(world: World, customer: str, kind: str, at: float) -> Thing | None:
    """The customer has another default card from now on, or `none`. Raises `Refusal` for an unknown customer."""
    owner = objects.need(world, "customer", customer)
    before = copy.deepcopy(owner)
    card: Thing | None = None
    if kind != "none":
        card = shapes.payment_method(
            at,
            customer,
            owner["email"],
            declines=kind == "declined",
            last4="4242" if kind == "good" else "0341",
        )
        objects.put(world, card)
        events.emit(world, "payment_method.attached", card, at)
    owner["invoice_settings"]["default_payment_method"] = None if card is None else card["id"]
    objects.put(world, owner)
    events.emit(world, "customer.updated", owner, at, before)
    return card


def of(world: World, sub: Thing) -> Thing | None:
    """The card a subscription is charged to: its own, else the customer's; None without one."""
    owner = objects.find(world, "customer", sub["customer"])
    own = sub["default_payment_method"]
    chosen = own or (owner and owner["invoice_settings"]["default_payment_method"])
    return None if not chosen else objects.find(world, "payment_method", chosen)


def works(world: World, sub: Thing) -> bool:
    """Whether a charge goes through."""
    card = of(world, sub)
    return card is not None and not card["_"]["declines"]
