"""Stripe as one of the sandbox's providers: its addresses and operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox.door import Endpoint
from truesend_sandbox.stripe import (
    catalog,
    checkout,
    checkout_page,
    control,
    customers,
    dashboard,
    faults,
    gateway,
    portal,
    portal_page,
    records,
    subscriptions,
    timers,
)
from truesend_sandbox.stripe.switches import PROVIDER, SWITCHES
from truesend_sandbox.world import Provider, World

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Call = tuple[str, str, str, gateway.Handler, tuple[str, ...]]

_LIST = ("ending_before", "limit", "starting_after")

CALLS: tuple[_Call, ...] = (
    ("customers.create", "POST", "customers", customers.create, customers.CREATE),
    ("customers.list", "GET", "customers", customers.listing, customers.LIST),
    ("customers.get", "GET", "customers/{id}", customers.get, ()),
    ("customers.update", "POST", "customers/{id}", customers.update, customers.UPDATE),
    ("customers.delete", "DELETE", "customers/{id}", customers.delete, ()),
    (
        "customers.cards",
        "GET",
        "customers/{id}/payment_methods",
        customers.payment_methods,
        ("allow_redisplay", "type", *_LIST),
    ),
    ("checkout.create", "POST", "checkout/sessions", checkout.create, checkout.CREATE),
    ("checkout.list", "GET", "checkout/sessions", checkout.listing, checkout.LIST),
    ("checkout.get", "GET", "checkout/sessions/{id}", checkout.get, ()),
    ("checkout.lines", "GET", "checkout/sessions/{id}/line_items", checkout.line_items, _LIST),
    ("checkout.expire", "POST", "checkout/sessions/{id}/expire", checkout.expire, ()),
    ("portal.create", "POST", "billing_portal/sessions", portal.create, portal.CREATE),
    (
        "portal.configurations",
        "GET",
        "billing_portal/configurations",
        portal.configurations,
        portal.CONFIGURATIONS,
    ),
    ("subscriptions.create", "POST", "subscriptions", subscriptions.create, subscriptions.CREATE),
    ("subscriptions.list", "GET", "subscriptions", subscriptions.listing, subscriptions.LIST),
    ("subscriptions.get", "GET", "subscriptions/{id}", subscriptions.get, ()),
    ("subscriptions.update", "POST", "subscriptions/{id}", subscriptions.update, subscriptions.UPDATE),
    ("subscriptions.cancel", "DELETE", "subscriptions/{id}", subscriptions.cancel, subscriptions.CANCEL),
    ("subscriptions.resume", "POST", "subscriptions/{id}/resume", subscriptions.resume, subscriptions.RESUME),
    ("products.create", "POST", "products", catalog.create_product, catalog.PRODUCT_CREATE),
    ("products.list", "GET", "products", catalog.products, catalog.PRODUCT_LIST),
    ("products.get", "GET", "products/{id}", catalog.product, ()),
    ("products.update", "POST", "products/{id}", catalog.update_product, catalog.PRODUCT_UPDATE),
    ("prices.create", "POST", "prices", catalog.create_price, catalog.PRICE_CREATE),
    ("prices.list", "GET", "prices", catalog.prices, catalog.PRICE_LIST),
    ("prices.get", "GET", "prices/{id}", catalog.price, ()),
    ("prices.update", "POST", "prices/{id}", catalog.update_price, catalog.PRICE_UPDATE),
    ("invoices.list", "GET", "invoices", records.invoices, records.INVOICES),
    ("invoices.get", "GET", "invoices/{id}", records.invoice, ()),
    ("invoices.pay", "POST", "invoices/{id}/pay", subscriptions.pay, ("off_session", "payment_method")),
    ("events.list", "GET", "events", records.events, records.EVENTS),
    ("events.get", "GET", "events/{id}", records.event, ()),
)
"""Operation, method, path below /v1, handler, parameters."""

OPERATIONS: dict[str, tuple[str, ...]] = {
    **{name: ("read",) if method == "GET" else () for name, method, *_ in CALLS},
    "other": (),
}


def _api(operation: str, handler: gateway.Handler, takes: tuple[str, ...]) -> Serve:
    return Endpoint(PROVIDER, operation, gateway.identify, gateway.guarded(handler, takes)).serve


def routes(_: World) -> list[web.RouteDef]:
    """The API below `/v1`, the two pages a person is sent to, and one that shows everything."""
    nothing = Endpoint(PROVIDER, "other", gateway.identify, gateway.nothing_there).serve
    return [
        web.get("/stripe", dashboard.show),
        web.get("/c/pay/{id}", checkout_page.show),
        web.post("/c/pay/{id}", checkout_page.act),
        web.get("/p/session/{secret}", portal_page.show),
        web.post("/p/session/{secret}", portal_page.act),
        *(
            web.route(method, f"/v1/{path}", _api(name, handler, takes))
            for name, method, path, handler, takes in CALLS
        ),
        web.route("*", "/v1/{rest:.*}", nothing),
    ]


def _no_account(_: Mapping[str, Any]) -> dict[str, Any]:
    raise ValueError("stripe has no accounts; a customer is made by POST /v1/customers")


def _no_boxes(_: list[str]) -> list[str]:
    raise ValueError("stripe asks nobody for consent")


STRIPE = Provider(
    name=PROVIDER,
    title="Stripe",
    switches=SWITCHES,
    operations=OPERATIONS,
    error_pages=(),
    routes=routes,
    prepare=catalog.stock,
    fault_answer=faults.answer,
    fault_concerns=faults.concerns,
    apply_damage=faults.apply,
    check_account=_no_account,
    check_untick=_no_boxes,
    receive=lambda _, __, ___: None,
    grant_causes=(),
    controls=control.routes,
    elapse=timers.elapse,
)
