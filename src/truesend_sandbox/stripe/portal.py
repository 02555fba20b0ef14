"""`/v1/billing_portal/sessions` and its configurations (stripe.md §2)."""

from __future__ import annotations

import secrets

from truesend_sandbox.stripe import events, forms, objects, shapes_billing
from truesend_sandbox.stripe.customers import living
from truesend_sandbox.stripe.errors import Refusal, invalid, wanted
from truesend_sandbox.stripe.gateway import Asked
from truesend_sandbox.stripe.objects import Thing, page
from truesend_sandbox.stripe.shapes import nothing

CREATE = (
    "after_expiration",
    "configuration",
    "customer",
    "customer_account",
    "flow_data",
    "locale",
    "on_behalf_of",
    "return_url",
)
CONFIGURATIONS = ("active", "ending_before", "is_default", "limit", "starting_after")

FLOWS = (
    "customer_update",
    "payment_method_update",
    "subscription_cancel",
    "subscription_pause",
    "subscription_update",
    "subscription_update_confirm",
)


def create(asked: Asked) -> Thing:
    """`POST /v1/billing_portal/sessions`: an address to be opened soon."""
    params, world = asked.params, asked.world
    if not params.get("customer"):
        raise wanted("customer")
    customer = living(world, params["customer"], "customer")
    if not asked.call.switch("portal_configured"):
        raise Refusal(
            "No configuration provided, and the default one was never saved: save the portal's settings."
        )
    configuration = params.get("configuration") or "bpc_sandbox"
    objects.need(world, "billing_portal.configuration", configuration, "configuration")
    url = forms.text(params, "return_url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise invalid("return_url", "Not a valid URL", "url_invalid")
    session = shapes_billing.portal_session(
        asked.call.now,
        customer["id"],
        str(configuration),
        flow=_flow(asked),
        locale=forms.text(params, "locale"),
        return_url=url,
    )
    secret = secrets.token_urlsafe(24)
    session["url"] = f"{asked.base}/p/session/test_{secret}"
    session["_"] = {"secret": f"test_{secret}"}
    objects.put(world, session)
    events.emit(world, "billing_portal.session.created", session, asked.call.now)
    return session


def _flow(asked: Asked) -> Thing | None:
    data = forms.hash_of(asked.params, "flow_data")
    if not data:
        return None
    kind = forms.one_of(data, "type", FLOWS, "")
    flow: Thing = {
        "after_completion": {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"},
        **nothing("subscription_cancel", "subscription_update", "subscription_update_confirm"),
        "type": kind,
    }
    after = forms.hash_of(data, "after_completion")
    if after:
        redirect = forms.hash_of(after, "redirect")
        flow["after_completion"] |= {
            "type": forms.one_of(after, "type", ("hosted_confirmation", "portal_homepage", "redirect"), ""),
            "redirect": {"return_url": redirect["return_url"]} if redirect.get("return_url") else None,
        }
    if kind.startswith("subscription_"):
        param = f"flow_data[{kind}][subscription]"
        named = forms.hash_of(data, kind).get("subscription")
        if not named:
            raise wanted(param)
        sub = objects.need(asked.world, "subscription", named, param)
        if sub["customer"] != asked.params["customer"]:
            raise invalid(param, "The subscription is not of this customer.")
        flow[kind] = {"subscription": sub["id"]}
        if kind == "subscription_cancel":
            flow[kind]["retention"] = None
        if kind == "subscription_update_confirm":
            flow[kind] |= {"discounts": None, "items": forms.list_of(forms.hash_of(data, kind), "items")}
    return flow


def configurations(asked: Asked) -> Thing:
    """`GET /v1/billing_portal/configurations`: the one there is, once it was saved."""
    found = objects.all_of(asked.world, "billing_portal.configuration")
    if not asked.call.switch("portal_configured"):
        found = []
    return page(found, asked.params, "/v1/billing_portal/configurations")
