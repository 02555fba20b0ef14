"""What faults mean at Google: its own words for conditions, and what damage does to grants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.door import Call
from truesend_sandbox.google import error_pages, errors, grants, token
from truesend_sandbox.google.scopes import ACCEPTED
from truesend_sandbox.world import World

GRANT_CAUSES = (
    "revoked",
    "testing",
    "unused",
    "password",
    "limit",
    "deleted",
    "disabled",
    "admin_policy",
    "rapt",
)
_SENDS = ("send", "send.check", "drafts.send")
_ACCESS_DIES = ("revoked", "password", "deleted", "disabled", "admin_policy")
"""Causes that end access tokens at once; after the others those live out their hour."""


def concerns(kind: str, operation: str) -> bool:
    """Whether a fault of that kind has a meaning at that operation."""
    if kind == "daily_limit":
        return operation in _SENDS
    if kind == "client_secret_expired":
        return operation.startswith("token.")
    if kind == "admin_block":
        return (
            operation in ("authorize", "token.code", "token.refresh", "send.check") or operation in ACCEPTED
        )
    return True


def answer(call: Call, kind: str, params: Mapping[str, Any]) -> web.Response:
    """Google's answer while a condition lasts."""
    operation = call.operation
    if kind == "client_secret_expired":
        return token.wrong_secret(call)
    if kind == "admin_block":
        if operation == "authorize":
            return error_pages.show(call.world, "admin_policy_enforced", app=_app(call), account=call.account)
        return token.death("admin_policy") if operation.startswith("token.") else errors.domain_policy()
    if kind in ("throttle", "daily_limit"):
        seconds = params["retry_after"]
        return errors.user_rate_limit(
            call.now + seconds,
            call.switch("rate_limit_status"),
            about_sending=kind == "daily_limit",
            retry_after=int(seconds) if call.switch("retry_after_header") else None,
        )
    if operation == "authorize":
        return web.Response(status=params["status"], text="<h1>Error</h1>", content_type="text/html")
    return errors.backend_error(params["status"])


def _app(call: Call) -> str:
    name = call.world.store.value(
        "SELECT name FROM clients WHERE provider = 'google' AND client_id = ?",
        call.request.query.get("client_id"),
    )
    return name or "This app"


def apply(world: World, kind: str, address: str | None, params: Mapping[str, Any]) -> None:
    """Do the damage to one account, or to every one when no address is given."""
    found = None if address is None else accounts.find(world, "google", address)
    if address is not None and found is None:
        return
    number = None if found is None else found.id
    with world.store.write():
        if kind == "expire_access":
            world.store.run(
                "UPDATE access_tokens SET dead_at = ?1"
                " WHERE dead_at IS NULL AND (?2 IS NULL OR account_id = ?2)",
                world.clock.now(),
                number,
            )
        elif kind == "password_changed":
            grants.kill(world, number, "password", access=True, gmail_only=True)
        else:
            cause = "revoked" if kind == "revoke_grant" else params.get("cause", "revoked")
            grants.kill(world, number, cause, access=cause in _ACCESS_DIES)
            if cause == "revoked":
                world.store.run("DELETE FROM grants WHERE ?1 IS NULL OR account_id = ?1", number)
