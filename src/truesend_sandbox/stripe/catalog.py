"""What is for sale: `/v1/products` and `/v1/prices`, and the three plans that are there from the start."""

from __future__ import annotations

import copy

from truesend_sandbox.stripe import events, forms, objects, shapes
from truesend_sandbox.stripe.errors import Refusal, invalid, wanted
from truesend_sandbox.stripe.forms import Params
from truesend_sandbox.stripe.gateway import Asked
from truesend_sandbox.stripe.objects import Thing, page
from truesend_sandbox.world import World

PLANS = (("starter", "Starter", 900), ("business", "Business", 2900), ("premium", "Premium", 5900))
"""Name in ids, title, cents a month; a year costs ten months."""

PRODUCT_UPDATE = (
    "active",
    "default_price",
    "description",
    "images",
    "marketing_features",
    "metadata",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "tax_details",
    "unit_label",
    "url",
)
PRODUCT_CREATE = (
    *(name for name in PRODUCT_UPDATE if name != "default_price"),
    "default_price_data",
    "id",
    "type",
)
PRODUCT_LIST = (
    "active",
    "created",
    "ending_before",
    "ids",
    "limit",
    "shippable",
    "starting_after",
    "type",
    "url",
)
PRICE_UPDATE = (
    "active",
    "currency_options",
    "lookup_key",
    "metadata",
    "nickname",
    "tax_behavior",
    "transfer_lookup_key",
)
PRICE_CREATE = (
    *PRICE_UPDATE,
    "billing_scheme",
    "currency",
    "custom_unit_amount",
    "product",
    "product_data",
    "recurring",
    "tiers",
    "tiers_mode",
    "transform_quantity",
    "unit_amount",
    "unit_amount_decimal",
)
PRICE_LIST = (
    "active",
    "created",
    "currency",
    "ending_before",
    "limit",
    "lookup_keys",
    "product",
    "recurring",
    "starting_after",
    "type",
)

_INTERVALS = ("day", "week", "month", "year")


def stock(world: World) -> None:
    """The plans of a sandbox nobody has touched: `price_sandbox_{plan}_{monthly or yearly}`."""
    at = world.clock.now()
    for name, title, cents in PLANS:
        if objects.find(world, "product", f"prod_sandbox_{name}") is not None:
            continue
        made = shapes.product(at, title, id=f"prod_sandbox_{name}", metadata={"tier": name})
        made["default_price"] = f"price_sandbox_{name}_monthly"
        objects.put(world, made)
        for every, word, amount in (("month", "monthly", cents), ("year", "yearly", cents * 10)):
            price = shapes.price(at, made["id"], amount, "usd", every)
            price |= {"id": f"price_sandbox_{name}_{word}", "lookup_key": f"{name}_{word}"}
            objects.put(world, price)
    if objects.find(world, "billing_portal.configuration", "bpc_sandbox") is None:
        objects.put(world, shapes.portal_configuration(at))


def _apply_product(world: World, made: Thing, params: Params) -> None:
    made["active"] = forms.flag(params, "active", made["active"])
    for name in ("description", "url", "unit_label", "statement_descriptor"):
        if name in params:
            made[name] = forms.text(params, name)
    if "name" in params:
        made["name"] = forms.text(params, "name", 250) or made["name"]
    if params.get("default_price"):
        made["default_price"] = objects.need(world, "price", params["default_price"], "default_price")["id"]
    made["metadata"] = forms.metadata(params, made["metadata"])


def create_product(asked: Asked) -> Thing:
    """`POST /v1/products`."""
    name = forms.text(asked.params, "name", 250)
    if name is None:
        raise wanted("name")
    made = shapes.product(asked.call.now, name)
    chosen = forms.text(asked.params, "id")
    if chosen is not None:
        if objects.find(asked.world, "product", chosen) is not None:
            raise Refusal("Product already exists.", code="resource_already_exists", param="id")
        made["id"] = chosen
    _apply_product(asked.world, made, asked.params)
    objects.put(asked.world, made)
    events.emit(asked.world, "product.created", made, asked.call.now)
    return made


def update_product(asked: Asked) -> Thing:
    """`POST /v1/products/{id}`."""
    made = objects.need(asked.world, "product", asked.id)
    before = copy.deepcopy(made)
    _apply_product(asked.world, made, asked.params)
    if made != before:
        made["updated"] = int(asked.call.now)
        objects.put(asked.world, made)
        events.emit(asked.world, "product.updated", made, asked.call.now, before)
    return made


def product(asked: Asked) -> Thing:
    """`GET /v1/products/{id}`."""
    return objects.need(asked.world, "product", asked.id)


def products(asked: Asked) -> Thing:
    """`GET /v1/products?active=&ids[]=`."""
    found = objects.all_of(asked.world, "product")
    if "active" in asked.params:
        found = [one for one in found if one["active"] == forms.flag(asked.params, "active", True)]
    if "ids" in asked.params:
        found = [one for one in found if one["id"] in forms.list_of(asked.params, "ids")]
    return page([one for one in found if asked.created(one)], asked.params, "/v1/products")


def _take_key(world: World, params: Params, price: Thing) -> None:
    key = forms.text(params, "lookup_key", 200)
    if key is None:
        return
    for other in objects.all_of(world, "price"):
        if other["lookup_key"] == key and other["id"] != price["id"]:
            if not forms.flag(params, "transfer_lookup_key", False):
                raise invalid("lookup_key", f"A price already uses that lookup key: {other['id']}.")
            other["lookup_key"] = None
            objects.put(world, other)
    price["lookup_key"] = key


def create_price(asked: Asked) -> Thing:
    """`POST /v1/prices`: an amount per unit, once or recurring."""
    params, at = asked.params, asked.call.now
    currency = forms.text(params, "currency")
    if currency is None:
        raise wanted("currency")
    if len(currency) != 3 or not currency.isalpha():
        raise invalid("currency", f"Invalid currency: {currency}")
    amount = forms.whole(params, "unit_amount", least=0, most=99_999_999)
    if amount is None:
        raise wanted("unit_amount")
    if "product" in params:
        product_id = objects.need(asked.world, "product", params["product"], "product")["id"]
    else:
        name = forms.text(forms.hash_of(params, "product_data"), "name")
        if name is None:
            raise wanted("product")
        made = shapes.product(at, name)
        objects.put(asked.world, made)
        product_id = made["id"]
    recurring = forms.hash_of(params, "recurring")
    every = forms.one_of(recurring, "interval", _INTERVALS, "") if recurring else None
    count = forms.whole(recurring, "interval_count", least=1, most=1095) or 1
    price = shapes.price(at, product_id, amount, currency.lower(), every, interval_count=count)
    price["nickname"] = forms.text(params, "nickname")
    price["active"] = forms.flag(params, "active", True)
    price["metadata"] = forms.metadata(params, {})
    _take_key(asked.world, params, price)
    objects.put(asked.world, price)
    events.emit(asked.world, "price.created", price, at)
    return price


def update_price(asked: Asked) -> Thing:
    """`POST /v1/prices/{id}`; the amount never changes."""
    price = objects.need(asked.world, "price", asked.id)
    before = copy.deepcopy(price)
    price["active"] = forms.flag(asked.params, "active", price["active"])
    if "nickname" in asked.params:
        price["nickname"] = forms.text(asked.params, "nickname")
    price["metadata"] = forms.metadata(asked.params, price["metadata"])
    _take_key(asked.world, asked.params, price)
    objects.put(asked.world, price)
    if price != before:
        events.emit(asked.world, "price.updated", price, asked.call.now, before)
    return price


def price(asked: Asked) -> Thing:
    """`GET /v1/prices/{id}`."""
    return objects.need(asked.world, "price", asked.id)


def prices(asked: Asked) -> Thing:
    """`GET /v1/prices?active=&lookup_keys[]=&product=&type=&currency=`."""
    params = asked.params
    found = objects.all_of(asked.world, "price")
    if "active" in params:
        found = [one for one in found if one["active"] == forms.flag(params, "active", True)]
    if "lookup_keys" in params:
        found = [one for one in found if one["lookup_key"] in forms.list_of(params, "lookup_keys")]
    for name in ("product", "type", "currency"):
        if name in params:
            found = [one for one in found if one[name] == params[name]]
    return page([one for one in found if asked.created(one)], params, "/v1/prices")
