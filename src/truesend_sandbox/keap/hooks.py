"""REST hooks, of v1 alone: made with a handshake, thin notices afterwards, no signature (keap.md §3)."""

from __future__ import annotations

import json
import secrets
from typing import Any

from aiohttp import web

from truesend_sandbox import pushing
from truesend_sandbox.door import Endpoint
from truesend_sandbox.keap import gateway
from truesend_sandbox.keap.errors import json_answer
from truesend_sandbox.keap.gateway import Caller, json_body
from truesend_sandbox.keap.people import PROVIDER
from truesend_sandbox.store import Row
from truesend_sandbox.world import WORLD, World

# Whether the address of a hook shook hands.
_VERIFIED = web.RequestKey("verified", bool)
_SECRET = "X-Hook-Secret"  # noqa: S105  # the name of a header
_KEYS = ("contact.add", "contact.edit", "contact.delete", "contact.redact")


async def _shakes_hands(world: World, url: object) -> bool:
    """Whether the address echoes a secret in its header."""
    if not isinstance(url, str):
        return False
    secret = secrets.token_hex(16)
    reply = await pushing.call(world, url, b"{}", {_SECRET: secret, "Content-Type": "application/json"})
    return reply.status == 200 and (reply.headers or {}).get(_SECRET.lower()) == secret


async def create(request: web.Request) -> web.StreamResponse:
    """`POST /v1/hooks {eventKey, hookUrl}`: 200, `Verified` where the address echoed."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = {}
    url = body.get("hookUrl") if isinstance(body, dict) else None
    request[_VERIFIED] = await _shakes_hands(request.app[WORLD], url)
    return await Endpoint(PROVIDER, "hooks.create", gateway.identify, gateway.guarded(_create)).serve(request)


async def verify(request: web.Request) -> web.StreamResponse:
    """`POST /v1/hooks/{key}/verify`."""
    world = request.app[WORLD]
    url = world.store.value("SELECT url FROM keap_hooks WHERE key = ?", request.match_info["key"])
    request[_VERIFIED] = await _shakes_hands(world, url)
    return await Endpoint(PROVIDER, "hooks.verify", gateway.identify, gateway.guarded(_verify)).serve(request)


def _create(caller: Caller) -> web.StreamResponse:
    body = json_body(caller)
    if isinstance(body, web.Response):
        return body
    if body.get("eventKey") not in _KEYS or not isinstance(body.get("hookUrl"), str):
        return caller.error(400, "Invalid hook", "hook")
    key = secrets.token_hex(8)
    caller.world.store.run(
        "INSERT INTO keap_hooks (key, tenant, event, url, status) VALUES (?, ?, ?, ?, ?)",
        key,
        caller.tenant,
        body["eventKey"],
        body["hookUrl"],
        "Verified" if caller.call.request[_VERIFIED] else "Unverified",
    )
    return _answer(caller, key)


def _verify(caller: Caller) -> web.StreamResponse:
    key = caller.call.request.match_info["key"]
    if caller.call.request[_VERIFIED]:
        caller.world.store.run(
            "UPDATE keap_hooks SET status = 'Verified' WHERE key = ? AND tenant = ?", key, caller.tenant
        )
    return _answer(caller, key)


def _answer(caller: Caller, key: str) -> web.StreamResponse:
    row = caller.world.store.one("SELECT * FROM keap_hooks WHERE key = ? AND tenant = ?", key, caller.tenant)
    return caller.error(404, "Hook not found", "hook") if row is None else json_answer(_shown(row))


def _shown(row: Row) -> dict[str, Any]:
    return {"key": row["key"], "eventKey": row["event"], "hookUrl": row["url"], "status": row["status"]}


def get(caller: Caller) -> web.StreamResponse:
    """`GET /v1/hooks/{key}`."""
    return _answer(caller, caller.call.request.match_info["key"])


def listing(caller: Caller) -> web.StreamResponse:
    """`GET /v1/hooks`."""
    rows = caller.world.store.all("SELECT * FROM keap_hooks WHERE tenant = ? ORDER BY rowid", caller.tenant)
    return json_answer([_shown(row) for row in rows])


def delete(caller: Caller) -> web.StreamResponse:
    """`DELETE /v1/hooks/{key}`: 204."""
    key = caller.call.request.match_info["key"]
    caller.world.store.run("DELETE FROM keap_hooks WHERE key = ? AND tenant = ?", key, caller.tenant)
    return web.Response(status=204)
