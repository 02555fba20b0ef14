"""`/v1/checkout/sessions` in subscription mode, and what paying on the hosted page does (stripe.md §1)."""

from __future__ import annotations

from typing import Any

from truesend_sandbox.stripe import cards, events, forms, lifecycle, objects, shapes, shapes_billing, timers
from truesend_sandbox.stripe.customers import living
from truesend_sandbox.stripe.errors import Refusal, invalid, wanted
from truesend_sandbox.stripe.gateway import Asked
from truesend_sandbox.stripe.objects import Thing, page
from truesend_sandbox.stripe.subscriptions import behavior, lines_of, trial_of
from truesend_sandbox.stripe.switches import PROVIDER
from truesend_sandbox.world import World

CREATE = (
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "allowed_payment_method_types",
    "automatic_tax",
    "billing_address_collection",
    "branding_settings",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "currency",
    "custom_fields",
    "custom_text",
    "customer",
    "customer_account",
    "customer_creation",
    "customer_email",
    "customer_update",
    "discounts",
    "excluded_payment_method_types",
    "expires_at",
    "integration_identifier",
    "invoice_creation",
    "line_items",
    "locale",
    "managed_payments",
    "metadata",
    "mode",
    "name_collection",
    "optional_items",
    "origin_context",
    "payment_intent_data",
    "payment_method_collection",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "permissions",
    "phone_number_collection",
    "redirect_on_completion",
    "return_url",
    "saved_payment_method_options",
    "setup_intent_data",
    "shipping_address_collection",
    "shipping_options",
    "submit_type",
    "subscription_data",
    "success_url",
    "tax_id_collection",
    "ui_mode",
    "wallet_options",
)
LIST = (
    "created",
    "customer",
    "customer_account",
    "customer_details",
    "ending_before",
    "limit",
    "payment_intent",
    "payment_link",
    "starting_after",
    "status",
    "subscription",
)

_TRIAL_AHEAD = 48 * 3600
_EXPIRY = (1800, 86_400)
"""Seconds from now in which a session may be told to expire [GK]."""


def _address(params: forms.Params, name: str) -> str | None:
    url = forms.text(params, name)
    if url is not None and not url.startswith(("http://", "https://")):
        raise invalid(name, "Not a valid URL", "url_invalid")
    return url


def create(asked: Asked) -> Thing:
    """`POST /v1/checkout/sessions`: `mode=subscription`, the only one there is here."""
    params, world, at = asked.params, asked.world, asked.call.now
    if forms.one_of(params, "mode", ("payment", "setup", "subscription"), "payment") != "subscription":
        raise invalid("mode", "The sandbox sells subscriptions only: mode must be subscription.")
    lines = lines_of(world, forms.list_of(params, "line_items"), "line_items")
    if not lines:
        raise wanted("line_items")
    if all(price["recurring"] is None for price, _ in lines):
        raise invalid("line_items", "In subscription mode there must be at least one recurring price.")
    if any(price["recurring"] is None for price, _ in lines):
        raise invalid("line_items", "The sandbox sells recurring prices only.")
    success = _address(params, "success_url")
    if success is None:
        raise wanted("success_url")
    if "customer" in params and "customer_email" in params:
        raise Refusal("You may only specify one of these parameters: customer, customer_email.")
    customer = living(world, params["customer"], "customer") if params.get("customer") else None
    data = forms.hash_of(params, "subscription_data")
    expires = forms.whole(params, "expires_at", least=0, most=10**11)
    if expires is not None and not at + _EXPIRY[0] - 60 <= expires <= at + _EXPIRY[1] + 60:
        raise invalid("expires_at", "The session must expire between 30 minutes and 24 hours from now.")
    total = sum(price["unit_amount"] * quantity for price, quantity in lines)
    own: dict[str, Any] = {
        "lines": [[price["id"], quantity] for price, quantity in lines],
        "trial_days": forms.whole(data, "trial_period_days", least=1, most=730),
        "trial_end": trial_of(data, at, least=_TRIAL_AHEAD) if "trial_end" in data else None,
        "metadata": forms.metadata(data, {}),
        "description": forms.text(data, "description"),
        "behavior": behavior(data, "subscription_data[") if "trial_settings" in data else "create_invoice",
    }
    trial = own["trial_days"] is not None or own["trial_end"] is not None
    email = None if customer is None else customer["email"]
    session = shapes_billing.checkout_session(
        at,
        amount_subtotal=0 if trial else total,
        amount_total=0 if trial else total,
        cancel_url=_address(params, "cancel_url"),
        client_reference_id=forms.text(params, "client_reference_id", 200),
        currency=lines[0][0]["currency"],
        customer=None if customer is None else customer["id"],
        customer_creation=None if customer is not None else "always",
        customer_details=None
        if customer is None
        else shapes_billing.customer_details(email, customer["name"]),
        customer_email=forms.text(params, "customer_email", 800),
        locale=forms.text(params, "locale"),
        metadata=forms.metadata(params, {}),
        payment_method_collection=forms.one_of(
            params, "payment_method_collection", ("always", "if_required"), "always"
        ),
        success_url=success,
        _=own,
    )
    if expires is not None:
        session["expires_at"] = expires
    session["url"] = f"{asked.base}/c/pay/{session['id']}"
    objects.put(world, session, next_at=session["expires_at"])
    return session


def get(asked: Asked) -> Thing:
    """`GET /v1/checkout/sessions/{id}`."""
    return objects.need(asked.world, "checkout.session", asked.id)


def listing(asked: Asked) -> Thing:
    """`GET /v1/checkout/sessions?customer=&status=&subscription=`."""
    params = asked.params
    found = objects.all_of(asked.world, "checkout.session", forms.text(params, "customer"))
    for name in ("status", "subscription"):
        if name in params:
            found = [one for one in found if one[name] == params[name]]
    return page([one for one in found if asked.created(one)], params, "/v1/checkout/sessions")


def expire(asked: Asked) -> Thing:
    """`POST /v1/checkout/sessions/{id}/expire`, from `open` only."""
    session = objects.need(asked.world, "checkout.session", asked.id)
    if session["status"] != "open":
        raise Refusal(
            f"Only Checkout Sessions with a status of open can be expired; this one is {session['status']}."
        )
    timers.expire_session(asked.world, session, asked.call.now)
    return session


def lines(world: World, session: Thing) -> list[tuple[Thing, int]]:
    """What the session sells: prices and numbers."""
    return [(objects.need(world, "price", price), quantity) for price, quantity in session["_"]["lines"]]


def _items(world: World, session: Thing) -> list[Thing]:
    found = []
    for number, (price, quantity) in enumerate(lines(world, session)):
        product = objects.find(world, "product", price["product"])
        found.append(shapes_billing.line_item(number, price, quantity, product["name"] if product else None))
    return found


def line_items(asked: Asked) -> Thing:
    """`GET /v1/checkout/sessions/{id}/line_items`."""
    session = objects.need(asked.world, "checkout.session", asked.id)
    return page(_items(asked.world, session), asked.params, f"/v1/checkout/sessions/{asked.id}/line_items")


def _expanded_items(world: World, shown: Thing) -> Thing:
    session = objects.need(world, "checkout.session", shown["id"])
    return objects.listed(_items(world, session), f"/v1/checkout/sessions/{shown['id']}/line_items")


objects.SPECIAL["checkout.session", "line_items"] = _expanded_items


def trial_end(session: Thing, at: float) -> int | None:
    """When the trial it offers would end, begun now."""
    days = session["_"]["trial_days"]
    if days is not None:
        return int(at) + int(days) * 86_400
    until: int | None = session["_"]["trial_end"]
    return until


def needs_card(session: Thing, at: float) -> bool:
    """Whether the page asks for a card: always, unless there is a trial and it was asked to do without."""
    return session["payment_method_collection"] == "always" or trial_end(session, at) is None


def declined(world: World, session: Thing, email: str, at: float) -> None:
    """The card was declined: nothing has happened, or an incomplete subscription, by switch."""
    if (
        world.switches.get(PROVIDER, "declined_checkout") != "incomplete"
        or trial_end(session, at) is not None
    ):
        return
    customer = _customer(world, session, email, at)
    cards.give(world, customer["id"], "declined", at)
    sub = _begin(world, session, customer, at)
    session["_"]["incomplete"] = sub["id"]
    objects.put(world, session, next_at=session["expires_at"])


def complete(world: World, session: Thing, email: str, card: str, at: float) -> None:
    """It is paid, or begun without a payment: `card` is `good`, `declined` (at later charges) or `none`."""
    customer = _customer(world, session, email, at)
    # The card that fails later is good today.
    if card != "none":
        cards.give(world, customer["id"], "good", at)
    left = session["_"].pop("incomplete", None)
    sub = objects.find(world, "subscription", left) if left else None
    if sub is not None and sub["status"] == "incomplete":
        lifecycle.pay_due(world, sub, at)
    else:
        sub = _begin(world, session, objects.need(world, "customer", customer["id"]), at)
    if card == "declined":
        cards.give(world, customer["id"], "declined", at)
    trial = trial_end(session, at) is not None
    session |= {
        "status": "complete",
        "payment_status": "no_payment_required" if trial else "paid",
        "subscription": sub["id"],
        "invoice": sub["latest_invoice"],
        "customer": customer["id"],
        "customer_details": shapes_billing.customer_details(customer["email"], customer["name"]),
        "url": None,
    }
    objects.put(world, session)
    events.emit(world, "checkout.session.completed", session, at)


def _customer(world: World, session: Thing, email: str, at: float) -> Thing:
    if session["customer"] is not None:
        return objects.need(world, "customer", session["customer"])
    customer = shapes.customer(at, email=session["customer_email"] or email)
    objects.put(world, customer)
    events.emit(world, "customer.created", customer, at)
    session["customer"] = customer["id"]
    return customer


def _begin(world: World, session: Thing, customer: Thing, at: float) -> Thing:
    own = session["_"]
    return lifecycle.begin(
        world,
        customer,
        lines(world, session),
        at,
        trial_end=trial_end(session, at),
        metadata=own["metadata"],
        description=own["description"],
        trial_settings={"end_behavior": {"missing_payment_method": own["behavior"]}},
    )
