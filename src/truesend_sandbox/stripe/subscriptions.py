"""`/v1/subscriptions`: made, read, changed, resumed, ended."""

from __future__ import annotations

import copy
from typing import Any

from truesend_sandbox.stripe import cards, errors, forms, lifecycle, objects, periods, shapes_billing
from truesend_sandbox.stripe.customers import living
from truesend_sandbox.stripe.errors import Refusal, invalid, wanted
from truesend_sandbox.stripe.forms import Params
from truesend_sandbox.stripe.gateway import Asked
from truesend_sandbox.stripe.objects import Thing, page
from truesend_sandbox.world import World

UPDATE = (
    "add_invoice_items",
    "application_fee_percent",
    "automatic_tax",
    "billing_cycle_anchor",
    "billing_schedules",
    "billing_thresholds",
    "cancel_at",
    "cancel_at_period_end",
    "cancellation_details",
    "collection_method",
    "days_until_due",
    "default_payment_method",
    "default_source",
    "default_tax_rates",
    "description",
    "discounts",
    "invoice_settings",
    "items",
    "metadata",
    "off_session",
    "on_behalf_of",
    "pause_collection",
    "payment_behavior",
    "payment_settings",
    "pending_invoice_item_interval",
    "proration_behavior",
    "proration_date",
    "transfer_data",
    "trial_end",
    "trial_from_plan",
    "trial_settings",
)
CREATE = (
    *(name for name in UPDATE if name not in ("cancellation_details", "pause_collection", "proration_date")),
    "backdate_start_date",
    "billing_cycle_anchor_config",
    "billing_mode",
    "currency",
    "customer",
    "customer_account",
    "trial_period_days",
)
LIST = (
    "automatic_tax",
    "collection_method",
    "created",
    "current_period_end",
    "current_period_start",
    "customer",
    "customer_account",
    "ending_before",
    "limit",
    "plan",
    "price",
    "starting_after",
    "status",
    "test_clock",
)
CANCEL = ("cancellation_details", "invoice_now", "prorate")
RESUME = ("billing_cycle_anchor", "payment_behavior", "proration_behavior", "proration_date")

STATUSES = (
    "active",
    "canceled",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
)
BEHAVIORS = ("cancel", "create_invoice", "pause")
FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
_ONLY_OF_DEAD = {"metadata", "cancellation_details", "expand"}


def lines_of(world: World, given: list[Any], name: str) -> list[tuple[Thing, int]]:
    """`name[0][price]`, `[quantity]` as prices and numbers. Raises `Refusal`."""
    found: list[tuple[Thing, int]] = []
    for number, line in enumerate(given):
        param = f"{name}[{number}]"
        if not isinstance(line, dict) or not line.get("price"):
            raise wanted(f"{param}[price]")
        price = objects.need(world, "price", line["price"], f"{param}[price]")
        if not price["active"]:
            raise invalid(f"{param}[price]", f"The price {price['id']} is not active.")
        found.append((price, forms.whole(line, "quantity", least=1, most=1_000_000) or 1))
    if len({price["currency"] for price, _ in found}) > 1:
        raise invalid(name, "All prices must be of one currency.")
    return found


def behavior(params: Params, prefix: str) -> str:
    """`trial_settings[end_behavior][missing_payment_method]`; `create_invoice` where it is not given."""
    ends = forms.hash_of(forms.hash_of(params, "trial_settings"), "end_behavior")
    if "trial_settings" in params and "missing_payment_method" not in ends:
        raise wanted(f"{prefix}trial_settings[end_behavior][missing_payment_method]")
    return forms.one_of(ends, "missing_payment_method", BEHAVIORS, "create_invoice")


def trial_of(params: Params, now: float, *, least: float = 0) -> int | None:
    """When the trial that is asked for ends; None without one. Raises `Refusal`."""
    days = forms.whole(params, "trial_period_days", least=1, most=730)
    if days is not None and "trial_end" in params:
        raise invalid("trial_end", "Give trial_period_days or trial_end, not both.")
    if days is not None:
        return int(now) + days * periods.DAY
    until = forms.whole(params, "trial_end", least=0, most=10**11)
    if until is not None and until < now + least:
        raise invalid("trial_end", "The trial must end later than that.")
    return until


def create(asked: Asked) -> Thing:
    """`POST /v1/subscriptions`: incomplete for 23 hours where the first charge fails."""
    params, world, at = asked.params, asked.world, asked.call.now
    if "customer" not in params:
        raise wanted("customer")
    customer = living(world, params["customer"], "customer")
    lines = lines_of(world, forms.list_of(params, "items"), "items")
    if not lines:
        raise wanted("items")
    if any(price["recurring"] is None for price, _ in lines):
        raise invalid("items[0][price]", "A subscription wants a recurring price.")
    fields: dict[str, Any] = {
        "metadata": forms.metadata(params, {}),
        "description": forms.text(params, "description"),
        "trial_settings": {"end_behavior": {"missing_payment_method": behavior(params, "")}},
    }
    if params.get("default_payment_method"):
        fields["default_payment_method"] = _card(world, customer["id"], params)
    until = trial_of(params, at)
    pays_first = forms.one_of(
        params,
        "payment_behavior",
        ("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"),
        "allow_incomplete",
    )
    probe = shapes_billing.subscription(at, customer["id"], lines[0][0]["currency"], **fields)
    if until is None and pays_first in ("error_if_incomplete", "allow_incomplete"):
        card = cards.of(world, probe)
        if card is None:
            raise Refusal("This customer has no attached payment source or default payment method.")
        if pays_first == "error_if_incomplete" and card["_"]["declines"]:
            raise errors.declined()
    return lifecycle.begin(world, customer, lines, at, trial_end=until, **fields)


def _card(world: World, customer: str, params: Params) -> str | None:
    chosen = params.get("default_payment_method")
    if not chosen:
        return None
    card = objects.need(world, "payment_method", chosen, "default_payment_method")
    if card["customer"] != customer:
        raise invalid("default_payment_method", "The payment method must be attached to the customer.")
    return str(card["id"])


def get(asked: Asked) -> Thing:
    """`GET /v1/subscriptions/{id}`, also of one that has ended."""
    return objects.need(asked.world, "subscription", asked.id)


def listing(asked: Asked) -> Thing:
    """`GET /v1/subscriptions?customer=&status=&price=`; without a status those that were not canceled."""
    params = asked.params
    found = objects.all_of(asked.world, "subscription", forms.text(params, "customer"))
    status = params.get("status")
    if status is None:
        found = [sub for sub in found if sub["status"] != "canceled"]
    elif status == "ended":
        found = [sub for sub in found if sub["status"] in lifecycle.DEAD]
    elif status != "all":
        if status not in STATUSES:
            raise invalid("status", f"Invalid status: {status}")
        found = [sub for sub in found if sub["status"] == status]
    if "price" in params:
        found = [
            sub
            for sub in found
            if any(item["price"]["id"] == params["price"] for item in sub["items"]["data"])
        ]
    return page([sub for sub in found if asked.created(sub)], params, "/v1/subscriptions")


def update(asked: Asked) -> Thing:
    """`POST /v1/subscriptions/{id}`."""
    params, world, at = asked.params, asked.world, asked.call.now
    sub = objects.need(world, "subscription", asked.id)
    if sub["status"] in lifecycle.DEAD and set(params) - _ONLY_OF_DEAD:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    # Everything is looked at before anything is done.
    swaps = _swaps(world, sub, params)
    cancels = forms.flag(params, "cancel_at_period_end", False)
    if params.get("cancel_at") and "cancel_at_period_end" in params:
        raise invalid("cancel_at", "Give cancel_at or cancel_at_period_end, not both.")
    ends = forms.whole(params, "cancel_at", least=int(at), most=10**11)
    trial_ends = _new_trial_end(sub, params, at)
    before = copy.deepcopy(sub)
    _plain(world, sub, params)
    if "cancel_at" in params:
        sub |= {
            "cancel_at": ends,
            "canceled_at": None if ends is None else int(at),
            "cancel_at_period_end": False,
        }
    if trial_ends is not None and trial_ends > at:
        sub |= {"trial_end": trial_ends, "trial_start": sub["trial_start"] or int(at), "status": "trialing"}
        sub["_"].pop("warned", None)
        periods.move(sub, periods.start(sub), trial_ends)
        sub["billing_cycle_anchor"] = trial_ends
    lifecycle.changed(world, sub, before, at)
    if "cancel_at_period_end" in params and cancels != sub["cancel_at_period_end"]:
        lifecycle.cancel_later(world, sub, at, cancels)
    for item, price, quantity in swaps:
        mine = next(one for one in sub["items"]["data"] if one["id"] == item)
        if quantity != mine["quantity"]:
            before = copy.deepcopy(sub)
            mine["quantity"] = quantity
            lifecycle.changed(world, sub, before, at)
        if price["id"] != mine["price"]["id"]:
            lifecycle.change_price(world, sub, mine, price, at)
    if trial_ends is not None and trial_ends <= at and sub["status"] == "trialing":
        sub["trial_end"] = int(at)
        lifecycle.end_trial(world, sub, at)
    return objects.need(world, "subscription", asked.id)


def _plain(world: World, sub: Thing, params: Params) -> None:
    sub["metadata"] = forms.metadata(params, sub["metadata"])
    if "description" in params:
        sub["description"] = forms.text(params, "description")
    if "default_payment_method" in params:
        sub["default_payment_method"] = _card(world, sub["customer"], params)
    if "trial_settings" in params:
        sub["trial_settings"]["end_behavior"]["missing_payment_method"] = behavior(params, "")
    if "pause_collection" in params:
        pause = forms.hash_of(params, "pause_collection")
        sub["pause_collection"] = pause and {
            "behavior": forms.one_of(pause, "behavior", ("keep_as_draft", "mark_uncollectible", "void"), ""),
            "resumes_at": forms.whole(pause, "resumes_at", least=0, most=10**11),
        }
        sub["pause_collection"] = sub["pause_collection"] or None
    _details(sub, params)


def _details(sub: Thing, params: Params) -> None:
    details = forms.hash_of(params, "cancellation_details")
    if "comment" in details:
        sub["cancellation_details"]["comment"] = forms.text(details, "comment")
    if details.get("feedback"):
        sub["cancellation_details"]["feedback"] = forms.one_of(details, "feedback", FEEDBACK, "")


def _swaps(world: World, sub: Thing, params: Params) -> list[tuple[str, Thing, int]]:
    """Which item gets which price and quantity."""
    swaps = []
    for number, given in enumerate(forms.list_of(params, "items")):
        param = f"items[{number}]"
        if not isinstance(given, dict):
            raise invalid(param, f"Invalid object: {param}")
        mine = next((one for one in sub["items"]["data"] if one["id"] == given.get("id")), None)
        if mine is None:
            # Without the id of an item Stripe would add a second one; nobody here sells two things at once.
            raise Refusal(
                f"No such subscription item: '{given.get('id')}'",
                code="resource_missing",
                param=f"{param}[id]",
            )
        price = mine["price"]
        if given.get("price"):
            price = objects.need(world, "price", given["price"], f"{param}[price]")
        if price["recurring"] is None:
            raise invalid(f"{param}[price]", "A subscription wants a recurring price.")
        quantity = forms.whole(given, "quantity", least=1, most=1_000_000) or mine["quantity"]
        swaps.append((mine["id"], price, quantity))
    return swaps


def _new_trial_end(sub: Thing, params: Params, now: float) -> int | None:
    if "trial_end" not in params:
        return None
    if params["trial_end"] == "now":
        return int(now)
    return trial_of({"trial_end": params["trial_end"]}, now)


def cancel(asked: Asked) -> Thing:
    """`DELETE /v1/subscriptions/{id}`: at once. One that has ended is not found."""
    sub = objects.need(asked.world, "subscription", asked.id)
    if sub["status"] in lifecycle.DEAD:
        raise errors.missing("subscription", asked.id)
    _details(sub, asked.params)
    lifecycle.end(asked.world, sub, asked.call.now, "cancellation_requested")
    return sub


def resume(asked: Asked) -> Thing:
    """`POST /v1/subscriptions/{id}/resume`: a paused one, charged at once."""
    sub = objects.need(asked.world, "subscription", asked.id)
    if sub["status"] != "paused":
        raise Refusal("Only a paused subscription can be resumed.")
    if not lifecycle.resume(asked.world, sub, asked.call.now):
        raise errors.declined()
    return objects.need(asked.world, "subscription", asked.id)


def pay(asked: Asked) -> Thing:
    """`POST /v1/invoices/{id}/pay`."""
    world = asked.world
    made = objects.need(world, "invoice", asked.id)
    if made["status"] == "paid":
        raise Refusal("Invoice is already paid", code="invoice_already_paid")
    if made["status"] != "open":
        raise Refusal("Only an open invoice can be paid.")
    sub = objects.need(world, "subscription", made["_"]["subscription"])
    if not lifecycle.pay_due(world, sub, asked.call.now):
        raise errors.declined()
    return objects.need(world, "invoice", made["id"])
