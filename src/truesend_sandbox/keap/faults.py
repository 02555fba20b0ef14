"""What faults mean at Keap: its own words for conditions, and what damage does to grants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.door import Call
from truesend_sandbox.keap import error_pages, errors, gateway, grants, limits, people, token
from truesend_sandbox.world import World


def _at_api(operation: str) -> bool:
    return operation != "authorize" and not operation.startswith("token.")


def concerns(kind: str, operation: str) -> bool:
    """Whether a fault of that kind has a meaning at that operation. Keap's quota counts every call of the API."""
    if kind == "daily_limit":
        return _at_api(operation)
    if kind == "client_secret_expired":
        return operation.startswith("token.")
    if kind == "admin_block":
        return _at_api(operation) or operation == "authorize"
    return True


def answer(call: Call, kind: str, params: Mapping[str, Any]) -> web.Response:
    """Keap's answer while a condition lasts."""
    operation, path = call.operation, call.request.path
    if kind == "client_secret_expired":
        return token.wrong_client(call)
    if operation == "authorize":
        return _at_consent(call, kind, params)
    if not _at_api(operation):
        if kind == "throttle":
            return errors.throttled(call, retry_after=params["retry_after"])
        return errors.unavailable(path, params["status"])
    holder, spent = gateway.holder(call), None
    if kind == "admin_block":
        response = gateway.admin_block(path)
    elif kind in ("throttle", "daily_limit"):
        spent = ("throttle" if kind == "throttle" else "quota", params["retry_after"])
        response = errors.throttled(call, retry_after=params["retry_after"])
    else:
        response = errors.unavailable(path, params["status"])
    return limits.stamp(call, response, holder, spent)


def _at_consent(call: Call, kind: str, params: Mapping[str, Any]) -> web.Response:
    if kind == "admin_block":
        app = call.world.store.value(
            "SELECT name FROM clients WHERE provider = ? AND client_id = ?",
            people.PROVIDER,
            call.request.query.get("client_id"),
        )
        return error_pages.show(call.world, "admin_block", app=app or "This app", account=call.account)
    status = 429 if kind == "throttle" else params["status"]
    return web.Response(status=status, text="<h1>Error</h1>", content_type="text/html")


def apply(world: World, kind: str, address: str | None, params: Mapping[str, Any]) -> None:
    """Do the damage to one account, or to every one when no address is given."""
    found = None if address is None else accounts.find(world, people.PROVIDER, address)
    if address is not None and found is None:
        return
    number = None if found is None else found.id
    with world.store.write():
        if kind == "expire_access":
            grants.expire_access(world, number)
        elif kind == "password_changed":
            if world.switches.get(people.PROVIDER, "password_change_ends_tokens"):
                grants.kill(world, number, "password")
        else:
            grants.kill(world, number, "revoked" if kind == "revoke_grant" else params["cause"])
