"""Graph's change notifications: subscriptions with their handshake, their end, and what is pushed (microsoft.md §3)."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from truesend_sandbox import pushing
from truesend_sandbox.door import Endpoint
from truesend_sandbox.microsoft import api, errors, identity
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.moments import moment
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.store import Row
from truesend_sandbox.world import WORLD, World

_RESOURCE = re.compile(r"/?me/mailFolders\(?'?/?(inbox)'?\)?/messages\Z", re.IGNORECASE)
# What a handshake that failed is answered with.
_REFUSED = web.RequestKey("refused", str)
_LONGEST = 10_080 * 60
_SHORTEST = 45 * 60


async def create(request: web.Request) -> web.StreamResponse:
    """`POST /subscriptions`: both addresses are asked to echo a token first, within ten seconds."""
    world = request.app[WORLD]
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = {}
    for name in ("notificationUrl", "lifecycleNotificationUrl"):
        url = body.get(name) if isinstance(body, dict) else None
        if isinstance(url, str) and not await _validated(world, url):
            request[_REFUSED] = (
                f"Subscription validation request failed. HTTP status code or body of {name} is wrong."
            )
    return await Endpoint(
        PROVIDER, "subscriptions.create", identity.identify, api.guarded(_create, "subscriptions.create")
    ).serve(request)


async def _validated(world: World, url: str) -> bool:
    token = f"Validation: Testing client application reachability for subscription {uuid.uuid4()}"
    mark = "&" if "?" in url else "?"
    reply = await pushing.call(
        world,
        f"{url}{mark}validationToken={quote(token)}",
        b"",
        {"Content-Type": "text/plain; charset=utf-8"},
    )
    kind = str((reply.headers or {}).get("content-type", ""))
    return reply.status == 200 and reply.body == token.encode() and kind.startswith("text/plain")


def _create(caller: Caller) -> web.StreamResponse:
    body = api.json_body(caller.call)
    if isinstance(body, web.Response):
        return body
    refused = caller.call.request.get(_REFUSED)
    if refused:
        return errors.graph_error(caller.call, 400, "ValidationError", refused)
    if not isinstance(body.get("resource"), str) or not _RESOURCE.match(body["resource"]):
        return errors.bad_request(caller.call, "The sandbox serves messages of the inbox only.")
    until = _until(body.get("expirationDateTime"), caller.call.now)
    if until is None:
        message = "Subscription expiration can only be 10080 minutes in the future."
        return errors.bad_request(caller.call, message, "ValidationError")
    if len(str(body.get("clientState") or "")) > 128 or not isinstance(body.get("notificationUrl"), str):
        return errors.bad_request(caller.call, "Invalid subscription.", "ValidationError")
    number = str(uuid.uuid4())
    caller.world.store.run(
        "INSERT INTO microsoft_subscriptions (id, account_id, url, lifecycle_url, state, resource, until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        number,
        caller.account.id,
        body["notificationUrl"],
        body.get("lifecycleNotificationUrl"),
        body.get("clientState"),
        body["resource"],
        until,
    )
    return errors.graph_answer(caller.call, _shown(_row(caller, number)), 201)


def _until(text: object, now: float) -> float | None:
    """When it ends; a life that is too short is lengthened, one that is too long refused."""
    try:
        until = datetime.fromisoformat(str(text)).astimezone(UTC).timestamp()
    except ValueError:
        return None
    return None if until > now + _LONGEST else max(until, now + _SHORTEST)


def _row(caller: Caller, number: str) -> Row:
    row = find(caller, number)
    assert row is not None
    return row


def find(caller: Caller, number: str) -> Row | None:
    """One of this account that has not ended."""
    return caller.world.store.one(
        "SELECT * FROM microsoft_subscriptions WHERE id = ? AND account_id = ? AND until > ?",
        number,
        caller.account.id,
        caller.call.now,
    )


def _shown(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "resource": row["resource"],
        "applicationId": "sandbox-microsoft-client",
        "changeType": "created",
        "clientState": row["state"],
        "notificationUrl": row["url"],
        "lifecycleNotificationUrl": row["lifecycle_url"],
        "expirationDateTime": moment(row["until"]),
    }


def _gone(caller: Caller) -> web.Response:
    return errors.graph_error(caller.call, 404, "ResourceNotFound", "The object was not found.")


def renew(caller: Caller) -> web.StreamResponse:
    """`PATCH /subscriptions/{id}`."""
    row = find(caller, caller.call.request.match_info["id"])
    if row is None:
        return _gone(caller)
    body = api.json_body(caller.call)
    if isinstance(body, web.Response):
        return body
    until = _until(body.get("expirationDateTime"), caller.call.now)
    if until is None:
        return errors.bad_request(caller.call, "Invalid expirationDateTime.", "ValidationError")
    caller.world.store.run("UPDATE microsoft_subscriptions SET until = ? WHERE id = ?", until, row["id"])
    return errors.graph_answer(caller.call, _shown(_row(caller, row["id"])))


def delete(caller: Caller) -> web.StreamResponse:
    """`DELETE /subscriptions/{id}`: 204."""
    row = find(caller, caller.call.request.match_info["id"])
    if row is None:
        return _gone(caller)
    caller.world.store.run("DELETE FROM microsoft_subscriptions WHERE id = ?", row["id"])
    return errors.nothing(caller.call, 204)
