"""What faults mean at Microsoft: its own words for conditions, and what damage does to grants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.microsoft import error_pages, errors, grants, limits, token
from truesend_sandbox.microsoft.errors import token_error
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.world import World

_SENDS = ("send", "send.check", "drafts.send", "drafts.send.check", "messages.reply")
_IDENTITY = ("token.code", "token.refresh", "token.other", "discovery", "jwks")
_PAGES = ("authorize", "admin_consent")
_GRANTS = ("token.code", "token.refresh")


def concerns(kind: str, operation: str) -> bool:
    """Whether a fault of that kind has a meaning at that operation."""
    if kind == "daily_limit":
        return operation in _SENDS
    if kind == "client_secret_expired":
        return operation.startswith("token.")
    # An access token outlives the block: nobody asks again before it ends.
    return kind != "admin_block" or operation == "authorize" or operation in _GRANTS


def answer(call: Call, kind: str, params: Mapping[str, Any]) -> web.Response:
    """Microsoft's answer while a condition lasts."""
    operation = call.operation
    if kind == "client_secret_expired":
        return token_error(call, 7000222, client=token.client_name(call))
    if kind == "admin_block":
        return _blocked(call)
    if kind == "daily_limit":
        return limits.message_limit(call)
    if operation in _PAGES:
        status = 429 if kind == "throttle" else params["status"]
        return web.Response(status=status, text="<h1>Service unavailable</h1>", content_type="text/html")
    if kind == "throttle":
        seconds = params["retry_after"]
        if operation not in _IDENTITY:
            return errors.throttled(call, seconds)
        if call.switch("identity_throttle") == "50196":
            return token_error(call, 50196)
        response = token_error(call, 90055)
        response.headers.update(errors.retry_after(call, seconds))
        return response
    if operation in _IDENTITY:
        response = token_error(call, 90033)
        response.set_status(params["status"])
        return response
    message = "The service is temporarily unavailable."
    code = {503: "serviceNotAvailable", 504: "gatewayTimeout"}.get(params["status"], "InternalServerError")
    return errors.graph_error(call, params["status"], code, message)


def _blocked(call: Call) -> web.Response:
    account = None if call.account is None else accounts.find(call.world, PROVIDER, call.account)
    if call.operation == "authorize":
        return error_pages.show(call.world, "conditional_access", {}, account=call.account)
    return token.death(call, "admin_policy", None, account, None)


def apply(world: World, kind: str, address: str | None, params: Mapping[str, Any]) -> None:
    """Do the damage to one account, or to every one when no address is given."""
    if address is None:
        damaged = accounts.everyone(world, PROVIDER)
    else:
        found = accounts.find(world, PROVIDER, address)
        damaged = [] if found is None else [found]
    with world.store.write():
        for account in damaged:
            _damage(world, kind, account, params)


def _damage(world: World, kind: str, account: Account, params: Mapping[str, Any]) -> None:
    if kind == "expire_access":
        world.store.run(
            "UPDATE access_tokens SET dead_at = ? WHERE dead_at IS NULL AND account_id = ?",
            world.clock.now(),
            account.id,
        )
    elif kind == "password_changed":
        # A person's own change leaves the tokens of a confidential client alive; a reset by an admin does not.
        if params.get("by") == "admin":
            grants.kill(world, account.id, "password")
    else:
        cause = "revoked" if kind == "revoke_grant" else params.get("cause", "revoked")
        grants.kill(world, account.id, cause)
        if cause == "consent_removed":
            world.store.run("DELETE FROM grants WHERE account_id = ?", account.id)
