"""Webhooks on their way: signed, retried until a 2xx, and spoiled as the switches say (stripe.md §3, §4).

A delivery is a row; what sends it looks at the rows and at the clock, so that a killed sandbox goes on with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from truesend_sandbox import pushing
from truesend_sandbox.store import Row
from truesend_sandbox.stripe.switches import PROVIDER
from truesend_sandbox.world import World

TOLERANCE = 300
"""Seconds after which the official library takes a signature for stale."""
_AT_ONCE = 8
_BATCH = 400
_sending: set[asyncio.Task[None]] = set()
_held: ContextVar[list[str] | None] = ContextVar("_held", default=None)


def endpoint(world: World) -> str:
    """Where events go; empty: nowhere."""
    return str(world.switches.get(PROVIDER, "webhook_endpoint")) or (world.stripe_webhook_url or "")


@contextmanager
def held() -> Iterator[list[str]]:
    """Events of the block are not sent by themselves; their ids are collected instead."""
    ids: list[str] = []
    token = _held.set(ids)
    try:
        yield ids
    finally:
        _held.reset(token)


def schedule(world: World, event: str, made_at: float) -> None:
    """A new event goes to the endpoint as the switches say."""
    collected = _held.get()
    if collected is not None:
        collected.append(event)
        return
    kind = str(world.switches.get(PROVIDER, "webhook_delivery"))
    due = world.clock.now() + float(world.switches.get(PROVIDER, "webhook_delay"))
    for _ in range({"once": 1, "twice": 2, "dropped": 0}[kind]):
        deliver(world, event, made_at, due)
    wake(world)


def deliver(world: World, event: str, made_at: float, due: float, signature: str | None = None) -> None:
    """One delivery more of an event; without a `signature` the switch decides at each attempt."""
    if endpoint(world):
        world.store.run(
            "INSERT INTO stripe_deliveries (event_id, made_at, due, first_due, signature) VALUES (?, ?, ?, ?, ?)",
            event,
            made_at,
            due,
            due,
            signature,
        )


def sign(body: bytes, secret: str, at: int) -> str:
    """Hex HMAC-SHA256 of `t.body`; the whole secret is the key."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def header(world: World, body: bytes, made_at: float, signature: str | None) -> str | None:
    """The `Stripe-Signature` of one attempt; None: it carries none."""
    kind = signature or str(world.switches.get(PROVIDER, "webhook_signature"))
    now = world.clock.now()
    at = int(now)
    if kind == "absent":
        return None
    if kind == "stale":
        at = int(min(made_at, now - TOLERANCE - 1))
    elif kind == "future":
        at += 10_000
    secret = str(world.switches.get(PROVIDER, "webhook_secret"))
    second = str(world.switches.get(PROVIDER, "webhook_second_secret"))
    test = f"v0={sign(body, f'v0 {secret}', at)}"
    if kind == "v0_only":
        return f"t={at},{test}"
    if kind == "wrong_secret":
        return f"t={at},v1={sign(body, f'{secret} of somebody else', at)},{test}"
    both = [sign(body, one, at) for one in (second, secret) if one]
    return ",".join([f"t={at}", *(f"v1={one}" for one in both), test])


async def send(world: World, body: bytes, made_at: float, signature: str | None) -> int:
    """One attempt, written down among the calls: the answer's status, 0 where none came."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (sandbox)"}
    signed = header(world, body, made_at, signature)
    if signed is not None:
        headers["Stripe-Signature"] = signed
    began = time.perf_counter()
    reply = await pushing.call(world, endpoint(world), body, headers)
    pushing.note(world, PROVIDER, None, reply.status, began)
    return reply.status


def wake(world: World) -> None:
    """Whatever is due is sent, in the background."""
    if _sending:
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return  # nothing is served
    task = loop.create_task(_send_due(world))
    _sending.add(task)
    task.add_done_callback(_sending.discard)


def due(world: World) -> list[Row]:
    """Deliveries whose time has come, the oldest first."""
    return world.store.all(
        "SELECT d.*, e.data, e.type FROM stripe_deliveries d JOIN stripe_events e ON e.id = d.event_id"
        " WHERE d.done_at IS NULL AND d.due <= ? ORDER BY d.due, d.id LIMIT ?",
        world.clock.now(),
        _BATCH,
    )


async def _send_due(world: World) -> None:
    while endpoint(world) and (rows := due(world)):
        order = world.switches.get(PROVIDER, "webhook_order")
        if order == "shuffled":
            random.shuffle(rows)
            gate = asyncio.Semaphore(_AT_ONCE)

            async def one(row: Row, gate: asyncio.Semaphore = gate) -> None:
                async with gate:
                    await _attempt(world, row)

            await asyncio.gather(*(one(row) for row in rows))
            continue
        for row in reversed(rows) if order == "reversed" else rows:
            await _attempt(world, row)


async def _attempt(world: World, row: Row) -> None:
    if (
        world.store.value("SELECT 1 FROM stripe_deliveries WHERE id = ? AND done_at IS NULL", row["id"])
        is None
    ):
        return  # a reset came in between
    status = await send(world, row["data"].encode(), row["made_at"], row["signature"])
    now = world.clock.now()
    wait = float(world.switches.get(PROVIDER, "webhook_retry_after")) * 2 ** min(row["attempts"], 40)
    given_up = now + wait > row["first_due"] + world.switches.get(PROVIDER, "webhook_retry_seconds")
    done = 200 <= status < 300
    world.store.run(
        "UPDATE stripe_deliveries SET attempts = attempts + 1, status = ?, due = ?, done_at = ? WHERE id = ?",
        status or None,
        now if done else now + wait,
        now if done or given_up else None,
        row["id"],
    )


def told(world: World, event: str | None = None) -> dict[str, Any]:
    """Every delivery, or those of one event: `{items, waiting}`."""
    rows = world.store.all(
        "SELECT d.*, e.type FROM stripe_deliveries d JOIN stripe_events e ON e.id = d.event_id"
        " WHERE ?1 IS NULL OR d.event_id = ?1 ORDER BY d.id",
        event,
    )
    items = [
        {
            "id": str(row["id"]),
            "event": row["event_id"],
            "type": row["type"],
            "due": row["due"],
            "attempts": row["attempts"],
            "status": row["status"],
            "state": "waiting"
            if row["done_at"] is None
            else "delivered"
            if 200 <= (row["status"] or 0) < 300
            else "given up",
        }
        for row in rows
    ]
    return {"items": items, "waiting": sum(item["state"] == "waiting" for item in items)}


def event_of(world: World, identifier: object) -> tuple[dict[str, Any], float] | None:
    """An event and when it was made; None when there is none of that id."""
    row = world.store.one("SELECT * FROM stripe_events WHERE id = ?", str(identifier))
    return None if row is None else (json.loads(row["data"]), row["at"])


async def end() -> None:
    """Nothing is sent any more."""
    for task in list(_sending):
        task.cancel()
    await asyncio.gather(*_sending, return_exceptions=True)
