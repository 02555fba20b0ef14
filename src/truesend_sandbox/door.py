"""The door every provider call comes through: it names the call, meets the faults, and writes it down."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from truesend_sandbox.faults import Fault, Plan
from truesend_sandbox.world import WORLD, World


@dataclass
class Call:
    """One request to a provider, its body read."""

    world: World
    provider: str
    request: web.Request
    body: bytes
    operation: str = ""
    account: str | None = None

    @cached_property
    def form(self) -> dict[str, str]:
        """The urlencoded body; of a repeated name the first value."""
        try:
            pairs = parse_qsl(self.body.decode("ascii"), keep_blank_values=True, encoding="utf-8")
        except (UnicodeDecodeError, ValueError):
            return {}
        return dict(reversed(pairs))

    def switch(self, name: str) -> Any:
        return self.world.switches.get(self.provider, name)

    @property
    def now(self) -> float:
        return self.world.clock.now()


@dataclass(frozen=True)
class Endpoint:
    """What the door needs to know of one address at a provider.

    `handle` is synchronous and runs in one transaction together with the entry in the calls, so that a killed
    sandbox has either both or none of what it did.
    """

    provider: str
    operation: str | Callable[[Call], str]
    identify: Callable[[Call], str | None]
    handle: Callable[[Call], web.StreamResponse]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One call from arrival to answer: noted, damaged by a fault if one is due, then handled."""
        world = request.app[WORLD]
        started = time.perf_counter()
        call = Call(world, self.provider, request, await request.read())
        call.operation = self.operation if isinstance(self.operation, str) else self.operation(call)
        call.account = self.identify(call)
        plan = world.faults.meet(self.provider, call.operation, call.account)
        if plan is None:
            with world.store.write():
                response = self.handle(call)
                _record(call, response.status, started)
            return response
        return await _Faulty(self, call, plan, started).play()


def _record(
    call: Call, status: int | None, started: float, ended: str = "answered", fault: int | None = None
) -> int:
    return call.world.store.insert(
        "INSERT INTO calls (at, provider, operation, account, status, ms, fault, ended)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        call.now,
        call.provider,
        call.operation,
        call.account,
        status,
        (time.perf_counter() - started) * 1000,
        fault,
        ended,
    )


class _Faulty:
    """A call that a fault has met."""

    def __init__(self, endpoint: Endpoint, call: Call, plan: Plan, started: float) -> None:
        self.endpoint = endpoint
        self.call = call
        self.plan = plan
        self.started = started
        # Written before anything else: a call that hangs has been seen all the same.
        self.number = _record(call, None, started, "open", plan.ids[-1])

    def _close(self, status: int | None, ended: str) -> None:
        self.call.world.store.run(
            "UPDATE calls SET status = ?, ended = ?, ms = ? WHERE id = ?",
            status,
            ended,
            (time.perf_counter() - self.started) * 1000,
            self.number,
        )

    def _handle(self) -> web.StreamResponse:
        with self.call.world.store.write():
            return self.endpoint.handle(self.call)

    async def play(self) -> web.StreamResponse:
        call, plan = self.call, self.plan
        spec = call.world.providers[call.provider]
        for fault in plan.damage:
            if call.account is not None:
                spec.apply_damage(call.world, fault.kind, call.account, fault.params)
        if plan.before_ms:
            await asyncio.sleep(plan.before_ms / 1000)
        decides = plan.decides
        kind = decides.kind if decides else ""
        if decides is None:
            response = self._handle()
        elif kind == "drop_before":
            self._close(None, "dropped")
            return _abort(call.request)
        elif kind == "never":
            status = self._handle().status if decides.params["when"] == "after" else None
            self._close(status, "never")
            return await _hang(call.request)
        elif kind == "lost_answer":
            response = self._handle()
        elif kind in ("status", "garbage"):
            response = _literal(decides)
        else:
            response = spec.fault_answer(call, kind, decides.params)
        if plan.after_ms:
            await asyncio.sleep(plan.after_ms / 1000)
        if kind == "lost_answer":
            self._close(response.status, "lost")
            return _abort(call.request)
        self._close(response.status, "answered")
        return response


def _literal(fault: Fault) -> web.Response:
    """The answer written in the fault itself."""
    body = fault.params["body"]
    text = body if isinstance(body, str) else json.dumps(body)
    content_type = fault.params.get("content_type")
    if content_type is None:
        looks_json = not isinstance(body, str) or text.lstrip()[:1] in ("{", "[")
        content_type = "application/json" if looks_json else "text/plain"
    headers = {str(name): str(value) for name, value in fault.params.get("headers", {}).items()}
    headers["Content-Type"] = content_type if "charset" in content_type else f"{content_type}; charset=utf-8"
    return web.Response(status=fault.params["status"], body=text.encode(), headers=headers)


def _abort(request: web.Request) -> web.StreamResponse:
    """End the connection with a reset, as a machine that falls over does."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


async def _hang(request: web.Request) -> web.StreamResponse:
    """Never answer; end when the caller gives up."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.1)
    return web.Response(status=500)
