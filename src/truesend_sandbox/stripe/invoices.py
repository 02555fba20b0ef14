"""Invoices: made, finalized, charged, voided, each step with its events."""

from __future__ import annotations

import copy

from truesend_sandbox.stripe import cards, events, objects, periods, shapes_billing
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.world import World


def make(world: World, sub: Thing, reason: str, at: float, *, free: bool = False) -> Thing:
    """A draft for the subscription's present period."""
    customer = objects.need(world, "customer", sub["customer"])
    span = (periods.start(sub), periods.end(sub))
    amounts = [
        0 if free else item["price"]["unit_amount"] * (item["quantity"] or 1) for item in sub["items"]["data"]
    ]
    made = shapes_billing.invoice(at, customer, sub, reason, sum(amounts), span)
    made["lines"]["data"] = [
        shapes_billing.invoice_line(made["id"], sub, item, amount, span)
        for item, amount in zip(sub["items"]["data"], amounts, strict=True)
    ]
    number = customer["next_invoice_sequence"]
    made["_"]["number"] = f"{customer['invoice_prefix']}-{number:04d}"
    customer["next_invoice_sequence"] = number + 1
    objects.put(world, customer)
    objects.put(world, made)
    events.emit(world, "invoice.created", made, at)
    return made


def finalize(world: World, made: Thing, at: float) -> None:
    """A draft becomes open."""
    made |= {"status": "open", "number": made["_"]["number"], "effective_at": int(at)}
    made["status_transitions"]["finalized_at"] = int(at)
    objects.put(world, made)
    events.emit(world, "invoice.finalized", made, at)


def charge(world: World, made: Thing, sub: Thing, at: float, retry_at: float | None = None) -> bool:
    """Try to collect an open invoice; whether it is paid. `retry_at` is when it will be tried again."""
    before = copy.deepcopy(made)
    paid = made["amount_remaining"] == 0 or cards.works(world, sub)
    made["attempted"] = True
    if made["amount_due"]:
        made["attempt_count"] += 1
    if paid:
        made |= {"status": "paid", "amount_paid": made["amount_due"], "amount_remaining": 0}
        made |= {"next_payment_attempt": None, "auto_advance": False}
        made["status_transitions"]["paid_at"] = int(at)
        kinds: tuple[str, ...] = ("invoice.paid", "invoice.payment_succeeded")
    else:
        made["next_payment_attempt"] = None if retry_at is None else int(retry_at)
        made["auto_advance"] = retry_at is not None
        kinds = ("invoice.payment_failed",)
    objects.put(world, made)
    events.emit(world, "invoice.updated", made, at, before)
    for kind in kinds:
        events.emit(world, kind, made, at)
    return paid


def halt(world: World, made: Thing, at: float) -> None:
    """It is not collected by itself any more."""
    before = copy.deepcopy(made)
    made |= {"auto_advance": False, "next_payment_attempt": None}
    objects.put(world, made)
    if made != before:
        events.emit(world, "invoice.updated", made, at, before)


def void(world: World, made: Thing, at: float, status: str = "void") -> None:
    """Nobody will pay it: `void` or `uncollectible`."""
    made |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
    name = "voided" if status == "void" else "marked_uncollectible"
    made["status_transitions"][f"{name}_at"] = int(at)
    objects.put(world, made)
    events.emit(world, f"invoice.{name}", made, at)


def open_of(world: World, sub: Thing) -> list[Thing]:
    """Invoices of the subscription that are not paid yet, the oldest first."""
    found = objects.all_of(world, "invoice", sub["customer"])
    mine = [one for one in found if one["_"]["subscription"] == sub["id"] and one["status"] == "open"]
    return mine[::-1]
