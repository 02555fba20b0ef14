"""Calls that a provider makes by itself: a push to an address that the client has given, and a handshake with one.

Loopback only. A push that is not answered with a 2xx is tried again a few times. What may happen to one on its way is a
switch of each provider: it comes, it is dropped, it comes twice, or late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientTimeout

from truesend_sandbox.switches import Switch
from truesend_sandbox.world import World

OPERATION = "push"
_AGAIN_AFTER = (0.0, 0.5, 2.0, 5.0)
_PATIENCE = ClientTimeout(total=10)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_under_way: set[asyncio.Task[None]] = set()

SWITCHES = (
    Switch(
        "push_delivery",
        "once",
        "What becomes of a push: it comes `once`, `twice`, or is `dropped`.",
        "documented: duplicates and losses happen",
        ("once", "twice", "dropped"),
    ),
    Switch("push_delay", 0.0, "Seconds, of real time, until a push is sent.", "a test's choice"),
)


@dataclass(frozen=True)
class Reply:
    """What the address answered, header names in lower case; status 0 where nothing came."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] | None = None


async def call(world: World, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """One POST. Anything but loopback is not called."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if host not in _LOOPBACK:
        return Reply(0)
    try:
        # A redirect is an answer like any other: following one could lead off this machine.
        async with world.http.post(
            url, data=body, headers=dict(headers), timeout=_PATIENCE, allow_redirects=False
        ) as answer:
            return Reply(
                answer.status,
                await answer.read(),
                {name.lower(): value for name, value in answer.headers.items()},
            )
    except (ClientError, TimeoutError, OSError):
        return Reply(0)


def note(world: World, provider: str, account: str | None, status: int, began: float) -> None:
    """Write an attempt down among the calls; `began` is of `time.perf_counter`, status 0 means no answer."""
    world.store.insert(
        "INSERT INTO calls (at, provider, operation, account, status, ms, fault, ended)"
        " VALUES (?, ?, ?, ?, ?, ?, NULL, ?)",
        world.clock.now(),
        provider,
        OPERATION,
        account,
        status or None,
        (time.perf_counter() - began) * 1000,
        "pushed",
    )


def push(
    world: World, provider: str, account: str | None, url: str, body: bytes, headers: Mapping[str, str]
) -> None:
    """Send it in the background, as the provider's switches say."""
    kind = world.switches.get(provider, "push_delivery")
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return  # nothing is served
    for _ in range({"once": 1, "twice": 2, "dropped": 0}[str(kind)]):
        task = loop.create_task(_deliver(world, provider, account, url, body, headers))
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)


async def _deliver(
    world: World, provider: str, account: str | None, url: str, body: bytes, headers: Mapping[str, str]
) -> None:
    await asyncio.sleep(float(world.switches.get(provider, "push_delay")))
    for wait in _AGAIN_AFTER:
        await asyncio.sleep(wait)
        began = time.perf_counter()
        reply = await call(world, url, body, headers)
        note(world, provider, account, reply.status, began)
        if 200 <= reply.status < 300 or reply.status in (404, 410):
            return


async def end() -> None:
    """Nothing is sent any more."""
    for task in list(_under_way):
        task.cancel()
    await asyncio.gather(*_under_way, return_exceptions=True)
