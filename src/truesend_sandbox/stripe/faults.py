"""What faults mean at Stripe: limits and outages in its own words. There are no grants here to damage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.stripe.errors import Refusal, wrong_key
from truesend_sandbox.stripe.gateway import answer_json, credential
from truesend_sandbox.stripe.objects import new_id
from truesend_sandbox.world import World

_NONE = ("daily_limit", "admin_block", "expire_access", "revoke_grant", "expire_grant", "password_changed")


def concerns(kind: str, _: str) -> bool:
    """Whether a fault of that kind has a meaning here: the connection's have, outages, limits and a dead key."""
    return kind not in _NONE


def answer(call: Call, kind: str, params: Mapping[str, Any]) -> web.Response:
    """Stripe's answer while a condition lasts."""
    headers = {"Request-Id": new_id("req", 14)}
    if kind == "client_secret_expired":
        refusal = wrong_key(credential(call) or "")
        refusal.body["error"] |= {"message": "Expired API Key provided.", "code": "api_key_expired"}
    elif kind == "throttle":
        refusal = Refusal("Too many requests hit the API too quickly.", status=429, code="rate_limit")
    else:
        refusal = Refusal("An unknown error occurred.", status=params["status"], kind="api_error")
    return answer_json(refusal.body, refusal.status, headers)


def apply(_: World, __: str, ___: str | None, ____: Mapping[str, Any]) -> None:
    """Nothing: Stripe gives no grants."""
