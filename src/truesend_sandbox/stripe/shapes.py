"""The JSON of what is sold and to whom: customers, cards, products, prices; every field Stripe's fixtures have."""

from __future__ import annotations

from typing import Any

from truesend_sandbox.stripe.objects import Thing, new_id

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def nothing(*names: str) -> Thing:
    """An object of nulls."""
    return dict.fromkeys(names)


def customer(at: float, **fields: Any) -> Thing:
    """A customer."""
    return {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": int(at),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": new_id("x", 8).partition("_")[2].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **fields,
    }


def payment_method(at: float, owner: str, email: str | None, *, declines: bool, last4: str) -> Thing:
    """A card that lies with a customer; `declines`: every charge of it fails."""
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": nothing(*ADDRESS),
            "email": email,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "card": {
            "brand": "visa",
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass",
            },
            "country": "US",
            "display_brand": "visa",
            "exp_month": 8,
            "exp_year": 2050,
            "fingerprint": new_id("f", 16).partition("_")[2],
            "funding": "credit",
            "generated_from": None,
            "last4": last4,
            "networks": {"available": ["visa"], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": int(at),
        "customer": owner,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_": {"declines": declines},
    }


def product(at: float, name: str, **fields: Any) -> Thing:
    """A product."""
    return {
        "id": new_id("prod", 14),
        "object": "product",
        "active": True,
        "created": int(at),
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": int(at),
        "url": None,
        **fields,
    }


def price(at: float, product_id: str, amount: int, currency: str, every: str | None, **fields: Any) -> Thing:
    """A price in the currency's smallest unit; `every` is day, week, month, year, or None for a single payment."""
    count = fields.pop("interval_count", 1)
    recurring = {
        "interval": every,
        "interval_count": count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return {
        "id": new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": int(at),
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product_id,
        "recurring": recurring if every else None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if every else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        **fields,
    }


def plan(of: Thing) -> Thing:
    """The older form of a recurring price, which items still carry."""
    recurring = of["recurring"]
    return {
        "id": of["id"],
        "object": "plan",
        "active": of["active"],
        "amount": of["unit_amount"],
        "amount_decimal": of["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": of["created"],
        "currency": of["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": of["metadata"],
        "meter": None,
        "nickname": of["nickname"],
        "product": of["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def portal_configuration(at: float) -> Thing:
    """The portal as its operator has set it up."""
    return {
        "id": "bpc_sandbox",
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": nothing("headline", "privacy_policy_url", "terms_of_service_url"),
        "created": int(at),
        "default_return_url": None,
        "features": {
            "customer_update": {"allowed_updates": [], "enabled": False},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True, "payment_method_configuration": None},
            "subscription_cancel": {
                "cancellation_reason": {"enabled": False, "options": []},
                "enabled": True,
                "mode": "at_period_end",
                "proration_behavior": "none",
            },
            "subscription_pause": {
                "duration": {"interval_options": [], "type": "indefinite"},
                "enabled": False,
            },
            "subscription_update": {
                "billing_cycle_anchor": None,
                "default_allowed_updates": ["price"],
                "enabled": True,
                "proration_behavior": "none",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "continue_trial",
            },
        },
        "is_default": True,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": int(at),
    }
