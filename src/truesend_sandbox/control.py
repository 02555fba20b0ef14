"""`/_sandbox/…`: what tests and people use to steer the sandbox. JSON in, JSON out; errors are a sentence."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts, consents
from truesend_sandbox.clock import rfc3339
from truesend_sandbox.faults import DAMAGE_KINDS
from truesend_sandbox.mailbox import act, messages, system
from truesend_sandbox.mailbox.act import NoSuchThing
from truesend_sandbox.world import WORLD, World

JsonHandler = Callable[[World, web.Request, dict[str, Any]], Awaitable[object]]
_KEPT_BY_RESET = frozenset({"meta"})
"""The signing key stays: whoever cached it may go on."""


def problem(status: int, sentence: str) -> web.Response:
    """An error as JSON: one sentence that says what would be right."""
    return web.json_response({"error": sentence}, status=status)


def answered(handler: JsonHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Reads the JSON object, turns `ValueError` into 400 and `NoSuchThing` into 404."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body: Any = {}
        if request.method in ("POST", "PUT"):
            text = await request.text()
            try:
                body = json.loads(text) if text.strip() else {}
            except ValueError as error:
                return problem(400, f"the body is not JSON: {error}")
            if not isinstance(body, dict):
                return problem(400, "the body must be a JSON object")
        try:
            result = await handler(request.app[WORLD], request, body)
        except NoSuchThing as error:
            return problem(404, str(error))
        except ValueError as error:
            return problem(400, str(error))
        if isinstance(result, web.StreamResponse):
            return result
        return web.json_response(result)

    return handle


async def _state(world: World, _: web.Request, __: dict[str, Any]) -> object:
    def count(table: str) -> int:
        return int(world.store.value(f"SELECT COUNT(*) FROM {table}"))  # noqa: S608  # names below

    return {
        "now": rfc3339(world.clock.now()),
        "clock": {"offset": world.clock.offset, "now": world.clock.now()},
        "providers": sorted(world.providers),
        "accounts": [account.public() for account in accounts.everyone(world)],
        "clients": [
            {
                "provider": row["provider"],
                "client_id": row["client_id"],
                "name": row["name"],
                "project": row["project"],
                "redirect_uris": json.loads(row["redirect_uris"]),
            }
            for row in world.store.all("SELECT * FROM clients ORDER BY provider, client_id")
        ],
        "consents": [planned.public() for planned in consents.waiting(world)],
        "faults": [fault.public() for fault in world.faults.active()],
        "switches": world.switches.values(),
        "counts": {name: count(name) for name in ("arrivals", "calls", "gmail_messages", "refresh_tokens")},
        "tracking_url": world.tracking_url,
    }


async def _reset(world: World, _: web.Request, __: dict[str, Any]) -> object:
    world.store.empty(keep=_KEPT_BY_RESET)
    world.clock.reset()
    world.switches.load()
    world.faults.load()
    world.spent.clear()
    for provider in world.providers.values():
        provider.prepare(world)
    return {"reset": True}


async def _accounts(world: World, _: web.Request, body: dict[str, Any]) -> object:
    account, is_new = accounts.create(world, body)
    return web.json_response(account.public(), status=201 if is_new else 200)


async def _list_accounts(world: World, _: web.Request, __: dict[str, Any]) -> object:
    return {"items": [account.public() for account in accounts.everyone(world)]}


async def _client(world: World, _: web.Request, body: dict[str, Any]) -> object:
    provider = body.get("provider")
    if provider not in world.providers:
        raise ValueError(f"unknown provider; known: {', '.join(sorted(world.providers))}")
    uris = body.get("redirect_uris")
    texts = [body.get(name) for name in ("client_id", "secret")]
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("client_id and secret are wanted")
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise ValueError("redirect_uris must be a list of addresses")
    name, project = body.get("name", "Truesend"), body.get("project", "sandbox")
    world.store.run(
        "INSERT OR REPLACE INTO clients (provider, client_id, secret, project, name, redirect_uris)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        provider,
        *texts,
        str(project),
        str(name),
        json.dumps(uris),
    )
    return web.json_response({"provider": provider, "client_id": texts[0]}, status=201)


async def _calls(world: World, request: web.Request, _: dict[str, Any]) -> object:
    """Every provider call; `operation` may be a group's name, without what only asks: that did nothing of the kind."""
    provider, operation = request.query.get("provider"), request.query.get("operation")
    if provider is not None and provider not in world.providers:
        raise ValueError(f"unknown provider; known: {', '.join(sorted(world.providers))}")
    names: set[str] | None = None
    if operation not in (None, "any"):
        names = {operation} | {
            name
            for spec in world.providers.values()
            for name, groups in spec.operations.items()
            if operation in groups and name not in spec.asks
        }
    after = request.query.get("after", "0")
    if not after.isdecimal():
        raise ValueError("after must be the id of a call")
    marks = "" if names is None else f" AND operation IN ({','.join('?' * len(names))})"
    rows = world.store.all(
        f"SELECT * FROM calls WHERE id > ? AND (? IS NULL OR provider = ?){marks}"  # noqa: S608  # placeholders only
        " AND (? IS NULL OR account = ?) ORDER BY id",
        int(after),
        provider,
        provider,
        *(names or ()),
        request.query.get("account"),
        request.query.get("account"),
    )
    return {
        "items": [
            {
                "id": str(row["id"]),
                "at": rfc3339(row["at"]),
                "provider": row["provider"],
                "operation": row["operation"],
                "account": row["account"],
                "status": row["status"],
                "ms": round(row["ms"], 3),
                "ended": row["ended"],
                "fault": None if row["fault"] is None else str(row["fault"]),
            }
            for row in rows
        ]
    }


async def _clock(world: World, _: web.Request, body: dict[str, Any]) -> object:
    seconds = body.get("advance")
    if set(body) != {"advance"} or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("the clock wants {advance: seconds}")
    world.clock.advance(float(seconds))
    for provider in world.providers.values():
        provider.elapse(world)
    return await _show_clock(world, _, body)


async def _show_clock(world: World, _: web.Request, __: dict[str, Any]) -> object:
    return {"offset": world.clock.offset, "now": rfc3339(world.clock.now())}


async def _switches(world: World, _: web.Request, body: dict[str, Any]) -> object:
    world.switches.change(body)
    return world.switches.values()


async def _show_switches(world: World, _: web.Request, __: dict[str, Any]) -> object:
    return world.switches.values()


async def _consent(world: World, _: web.Request, body: dict[str, Any]) -> object:
    return web.json_response(consents.plan(world, body).public(), status=201)


async def _fault(world: World, _: web.Request, body: dict[str, Any]) -> object:
    """Set a fault. Damage that names no operation is done at once, not at the next call."""
    fault = world.faults.add(body)
    if fault.kind in DAMAGE_KINDS and fault.operation == "any":
        world.providers[fault.provider].apply_damage(world, fault.kind, fault.account, fault.params)
        world.faults.use(fault)
    return web.json_response(fault.public(), status=201)


async def _show_faults(world: World, _: web.Request, __: dict[str, Any]) -> object:
    return {"items": [fault.public() for fault in world.faults.active()]}


async def _end_fault(world: World, request: web.Request, _: dict[str, Any]) -> object:
    text = request.match_info["id"]
    if not text.isdecimal() or not world.faults.remove(int(text)):
        raise NoSuchThing(f"there is no fault {text}")
    return web.Response(status=204)


async def _end_faults(world: World, _: web.Request, __: dict[str, Any]) -> object:
    for fault in list(world.faults.active()):
        world.faults.remove(fault.id)
    return web.Response(status=204)


async def _messages(world: World, request: web.Request, _: dict[str, Any]) -> object:
    return await messages.listing(world, request)


async def _act(world: World, request: web.Request, body: dict[str, Any]) -> object:
    return await act.act(world, request.match_info["id"], body)


async def _mail(request: web.Request) -> web.StreamResponse:
    """A mail of the application itself: body message/rfc822, or JSON `{raw}` in base64."""
    raw = await request.read()
    if request.content_type == "application/json":
        try:
            raw = base64.b64decode(json.loads(raw)["raw"], validate=True)
        except (ValueError, TypeError, KeyError, binascii.Error):
            return problem(400, "a mail is given as message/rfc822, or as JSON {raw} in base64")
    try:
        number, recipients = system.arrive(request.app[WORLD], raw, request.headers.get("X-Envelope-To"))
    except ValueError as error:
        return problem(400, str(error))
    return web.json_response({"id": str(number), "to": recipients}, status=201)


async def _unknown(request: web.Request) -> web.StreamResponse:
    return problem(404, f"the sandbox has no {request.method} {request.path}; see docs/sandbox.md")


def routes() -> list[web.RouteDef]:
    """The addresses below `/_sandbox`."""
    base = "/_sandbox"
    return [
        web.get(f"{base}/state", answered(_state)),
        web.post(f"{base}/reset", answered(_reset)),
        web.get(f"{base}/accounts", answered(_list_accounts)),
        web.post(f"{base}/accounts", answered(_accounts)),
        web.post(f"{base}/clients", answered(_client)),
        web.get(f"{base}/calls", answered(_calls)),
        web.get(f"{base}/clock", answered(_show_clock)),
        web.post(f"{base}/clock", answered(_clock)),
        web.get(f"{base}/switches", answered(_show_switches)),
        web.post(f"{base}/switches", answered(_switches)),
        web.post(f"{base}/consent", answered(_consent)),
        web.get(f"{base}/faults", answered(_show_faults)),
        web.post(f"{base}/faults", answered(_fault)),
        web.delete(f"{base}/faults", answered(_end_faults)),
        web.delete(f"{base}/faults/{{id}}", answered(_end_fault)),
        web.get(f"{base}/messages", answered(_messages)),
        web.get(f"{base}/messages/{{id}}", answered(messages.one)),
        web.post(f"{base}/messages/{{id}}/act", answered(_act)),
        web.post(f"{base}/mail", _mail),
        web.route("*", f"{base}/{{rest:.*}}", _unknown),
    ]
