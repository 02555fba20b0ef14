"""What becomes of a subscription: begun, charged, renewed, failing, paused, ended (stripe.md §5).

Each function takes the moment it happens at, which may lie before the clock's present: a clock that was moved far is
caught up with step by step.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from truesend_sandbox.stripe import cards, events, invoices, objects, periods, shapes_billing
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.stripe.periods import DAY
from truesend_sandbox.stripe.shapes import plan
from truesend_sandbox.stripe.switches import PROVIDER
from truesend_sandbox.world import World

DEAD = ("canceled", "incomplete_expired")
INCOMPLETE_SECONDS = 23 * 3600
WARNING = 3 * DAY
"""Before the end of a trial, when `trial_will_end` is told [GK]."""


def save(world: World, sub: Thing) -> None:
    """Keep it, with the moment of its next step."""
    step = upcoming(sub)
    objects.put(world, sub, next_at=None if step is None else step[0])


def changed(world: World, sub: Thing, before: Thing, at: float) -> None:
    """Keep it and tell what is other than `before`; nothing is told where nothing is."""
    save(world, sub)
    if objects.public(sub) != objects.public(before):
        events.emit(world, "customer.subscription.updated", sub, at, before)


def upcoming(sub: Thing) -> tuple[float, str] | None:
    """When the clock does what to it next; None: nothing, ever."""
    own, status = sub["_"], sub["status"]
    steps: list[tuple[float, str]] = []
    if status == "incomplete":
        return sub["created"] + INCOMPLETE_SECONDS, "expire"
    if status in DEAD:
        return None
    if "finalize_at" in own:
        steps.append((own["finalize_at"], "finalize"))
    if status == "past_due" and "retry_at" in own:
        steps.append((own["retry_at"], "retry"))
    if status == "trialing":
        if not own.get("warned"):
            steps.append((sub["trial_end"] - WARNING, "warn"))
        steps.append((sub["trial_end"], "trial_end"))
    elif status != "paused":
        steps.append((periods.end(sub), "renew"))
    ends = periods.end(sub) if sub["cancel_at_period_end"] else sub["cancel_at"]
    if ends is not None:
        # Of what falls on the same moment the end is first: nothing is billed any more.
        steps.insert(0, (ends, "end"))
    return min(steps, key=lambda step: step[0]) if steps else None


def step(world: World, sub: Thing, kind: str, at: float) -> None:
    """Do what `upcoming` has said."""
    if kind == "expire":
        _expire(world, sub, at)
    elif kind == "warn":
        warn(world, sub, at)
    elif kind == "trial_end":
        end_trial(world, sub, at)
    elif kind == "renew":
        _bill(world, sub, at)
    elif kind == "finalize":
        _finalize(world, sub, at)
    elif kind == "retry":
        retry(world, sub, at)
    else:
        end(world, sub, at, "cancellation_requested")


def warn(world: World, sub: Thing, at: float) -> None:
    """The trial ends in three days, or sooner where it was shorter from the start."""
    sub["_"]["warned"] = True
    save(world, sub)
    events.emit(world, "customer.subscription.trial_will_end", sub, at)


def begin(
    world: World,
    customer: Thing,
    lines: list[tuple[Thing, int]],
    at: float,
    *,
    trial_end: int | None = None,
    **fields: Any,
) -> Thing:
    """A new subscription of `lines` (price, quantity): trialing, active, or incomplete where the card fails."""
    price = lines[0][0]
    sub = shapes_billing.subscription(at, customer["id"], price["currency"], **fields)
    begun = int(at)
    until = trial_end or periods.after(begun, price["recurring"], begun)
    sub["items"]["data"] = [
        shapes_billing.item(at, sub["id"], one, quantity, begun, until) for one, quantity in lines
    ]
    if trial_end is not None:
        sub |= {"status": "trialing", "trial_start": begun, "trial_end": trial_end}
        sub["billing_cycle_anchor"] = trial_end
    if customer["currency"] is None:
        customer["currency"] = price["currency"]
        objects.put(world, customer)
    made = invoices.make(world, sub, "subscription_create", at, free=trial_end is not None)
    sub["latest_invoice"] = made["id"]
    save(world, sub)
    events.emit(world, "customer.subscription.created", sub, at)
    invoices.finalize(world, made, at)
    if trial_end is not None:
        invoices.charge(world, made, sub, at)
        if trial_end - WARNING <= at:
            warn(world, sub, at)
    else:
        first_charge(world, sub, made, at)
    return sub


def first_charge(world: World, sub: Thing, made: Thing, at: float) -> bool:
    """Charge the first invoice of an incomplete subscription; whether it is active now."""
    before = copy.deepcopy(sub)
    if invoices.charge(world, made, sub, at):
        sub["status"] = "active"
        changed(world, sub, before, at)
        return True
    return False


def _expire(world: World, sub: Thing, at: float) -> None:
    before = copy.deepcopy(sub)
    for made in invoices.open_of(world, sub):
        invoices.void(world, made, at)
    sub |= {"status": "incomplete_expired", "ended_at": int(at)}
    changed(world, sub, before, at)


def end_trial(world: World, sub: Thing, at: float) -> None:
    """The trial is over: billed, or ended or paused where there is no card and it was asked so."""
    behavior = sub["trial_settings"]["end_behavior"]["missing_payment_method"]
    if cards.of(world, sub) is None and behavior != "create_invoice":
        if behavior == "cancel":
            end(world, sub, at, None)
            return
        before = copy.deepcopy(sub)
        sub["status"] = "paused"
        changed(world, sub, before, at)
        events.emit(world, "customer.subscription.paused", sub, at)
        return
    _bill(world, sub, at)


def _bill(
    world: World, sub: Thing, at: float, *, at_once: bool = False, reason: str = "subscription_cycle"
) -> None:
    """The next period begins, with a draft that is charged about an hour later, or at once."""
    before = copy.deepcopy(sub)
    begun = int(at)
    recurring = periods.first(sub)["price"]["recurring"]
    if sub["status"] == "trialing" or at_once:
        sub["billing_cycle_anchor"] = begun
    periods.move(sub, begun, periods.after(begun, recurring, sub["billing_cycle_anchor"]))
    if sub["cancel_at_period_end"]:
        sub["cancel_at"] = periods.end(sub)
    if sub["status"] in ("trialing", "paused"):
        sub["status"] = "active"
    made = invoices.make(world, sub, reason, at)
    sub["latest_invoice"] = made["id"]
    pause = sub["pause_collection"]
    if sub["status"] == "unpaid" or (pause and pause["behavior"] == "keep_as_draft"):
        invoices.halt(world, made, at)
    elif pause:
        invoices.void(world, made, at, "void" if pause["behavior"] == "void" else "uncollectible")
    else:
        wait = 0 if at_once else world.switches.get(PROVIDER, "draft_seconds")
        sub["_"] |= {"finalize_at": at + wait, "draft": made["id"]}
    changed(world, sub, before, at)
    if at_once and "finalize_at" in sub["_"]:
        _finalize(world, sub, at)


def bill_now(world: World, sub: Thing, at: float, reason: str = "subscription_update") -> None:
    """A new period from now on, charged at once."""
    _bill(world, sub, at, at_once=True, reason=reason)


def _finalize(world: World, sub: Thing, at: float) -> None:
    draft = objects.need(world, "invoice", sub["_"].pop("draft"))
    del sub["_"]["finalize_at"]
    save(world, sub)
    invoices.finalize(world, draft, at)
    _collect(world, sub, draft, at, sub["_"].get("failed", 0))


def _tries(world: World) -> list[float]:
    text = str(world.switches.get(PROVIDER, "dunning_days"))
    return [float(days) * DAY for days in re.findall(r"\d{1,4}(?:\.\d+)?", text)]


def _collect(world: World, sub: Thing, made: Thing, at: float, failed: int) -> None:
    """One charge of what is due, after so many that failed."""
    waits = _tries(world)
    again = at + waits[failed] if failed < len(waits) else None
    before = copy.deepcopy(sub)
    sub["_"].pop("retry_at", None)
    if invoices.charge(world, made, sub, at, again):
        sub["_"].pop("failed", None)
        if sub["status"] in ("past_due", "unpaid"):
            sub["status"] = "active"
        changed(world, sub, before, at)
        return
    if sub["status"] == "unpaid":
        return
    sub["status"] = "past_due"
    if again is not None:
        sub["_"] |= {"failed": failed + 1, "retry_at": again}
        changed(world, sub, before, at)
        return
    fate = world.switches.get(PROVIDER, "dunning_ends")
    changed(world, sub, before, at)
    if fate == "canceled":
        end(world, sub, at, "payment_failed")
    elif fate == "unpaid":
        before = copy.deepcopy(sub)
        sub["status"] = "unpaid"
        changed(world, sub, before, at)


def retry(world: World, sub: Thing, at: float) -> None:
    """One more try of the dunning."""
    due = invoices.open_of(world, sub)
    if due:
        _collect(world, sub, due[-1], at, sub["_"].get("failed", 0))
    else:
        sub["_"].pop("retry_at", None)
        save(world, sub)


def pay_due(world: World, sub: Thing, at: float) -> bool:
    """Somebody pays what is due now, the oldest first; whether everything went through."""
    for made in invoices.open_of(world, sub):
        before = copy.deepcopy(sub)
        if not invoices.charge(world, made, sub, at, sub["_"].get("retry_at")):
            return False
        if sub["status"] in ("past_due", "unpaid", "incomplete"):
            for name in ("failed", "retry_at"):
                sub["_"].pop(name, None)
            if not invoices.open_of(world, sub):
                sub["status"] = "active"
        changed(world, sub, before, at)
    return True


def resume(world: World, sub: Thing, at: float) -> bool:
    """A paused subscription goes on where its card pays; whether it does."""
    if not cards.works(world, sub):
        return False
    _bill(world, sub, at, at_once=True, reason="subscription")
    events.emit(world, "customer.subscription.resumed", sub, at)
    return True


def end(world: World, sub: Thing, at: float, reason: str | None) -> None:
    """It is canceled, for good: a new one is another subscription."""
    for made in invoices.open_of(world, sub):
        invoices.halt(world, made, at)
    if "draft" in sub["_"]:
        invoices.halt(world, objects.need(world, "invoice", sub["_"]["draft"]), at)
    sub |= {"status": "canceled", "ended_at": int(at), "canceled_at": sub["canceled_at"] or int(at)}
    sub["cancellation_details"]["reason"] = reason or sub["cancellation_details"]["reason"]
    sub["_"] = {}
    save(world, sub)
    events.emit(world, "customer.subscription.deleted", sub, at)


def cancel_later(world: World, sub: Thing, at: float, wanted: bool) -> None:
    """It ends with its period, or after all it does not."""
    before = copy.deepcopy(sub)
    sub["cancel_at_period_end"] = wanted
    sub["cancel_at"] = periods.end(sub) if wanted else None
    sub["canceled_at"] = int(at) if wanted else None
    sub["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None
    changed(world, sub, before, at)


def change_price(world: World, sub: Thing, item: Thing, price: Thing, at: float) -> None:
    """Another price from now on; another interval begins a new period, which is charged at once."""
    before = copy.deepcopy(sub)
    old = item["price"]["recurring"]
    item |= {"price": price, "plan": plan(price)}
    changed(world, sub, before, at)
    same = all(old[name] == price["recurring"][name] for name in ("interval", "interval_count"))
    if not same and sub["status"] == "active":
        bill_now(world, sub, at)
