"""The sandbox's HTTP server: one loop, one store, loopback peers only."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

from truesend_sandbox import control, pages, pushing
from truesend_sandbox.clock import Clock
from truesend_sandbox.faults import Faults
from truesend_sandbox.google.provider import GOOGLE
from truesend_sandbox.keap.provider import KEAP
from truesend_sandbox.mailbox import routes as mailbox_routes
from truesend_sandbox.microsoft.provider import MICROSOFT
from truesend_sandbox.store import Store
from truesend_sandbox.stripe import webhooks as stripe_webhooks
from truesend_sandbox.stripe.provider import STRIPE
from truesend_sandbox.switches import Switches
from truesend_sandbox.world import WORLD, Provider, World

PROVIDERS: tuple[Provider, ...] = (GOOGLE, MICROSOFT, KEAP, STRIPE)
MAX_BODY = 64 * 1024 * 1024
"""Bytes of any request: the largest mail a provider takes, as base64 inside JSON, and a little."""
_GRACE = 0.5
_TICK = 0.25
"""Seconds between looks at what has fallen due by itself."""


def build_world(
    *, data: Path, clock_file: Path, tracking_url: str | None, stripe_webhook_url: str | None = None
) -> World:
    """Everything the handlers share, read from the data folder. Raises `StoreTaken`."""
    store = Store(data)
    clock = Clock(clock_file)
    providers = {provider.name: provider for provider in PROVIDERS}
    world = World(
        store=store,
        clock=clock,
        switches=Switches(store, {name: provider.switches for name, provider in providers.items()}),
        faults=Faults(store, clock, providers),
        templates=pages.environment(),
        providers=providers,
        tracking_url=tracking_url,
        stripe_webhook_url=stripe_webhook_url,
        data=data,
        started_at=time.time(),
    )
    for provider in PROVIDERS:
        provider.prepare(world)
    return world


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _on_this_machine(host: str | None) -> bool:
    if host == "localhost" or (host or "").endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


@web.middleware
async def _loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nobody outside this machine, whatever the socket listens on."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if peer is None or not ipaddress.ip_address(peer[0]).is_loopback:
        raise web.HTTPForbidden(text="The sandbox serves this machine only.")
    origin = request.headers.get("Origin")
    if origin and request.path.startswith("/_sandbox/") and not _on_this_machine(urlsplit(origin).hostname):
        raise web.HTTPForbidden(text="A page from elsewhere may not steer the sandbox.")
    return await handler(request)


async def _health(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def build_app(world: World) -> web.Application:
    """The application with every address of the sandbox."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_loopback_only])
    app[WORLD] = world
    app.router.add_get("/healthz", _health)
    app.router.add_get("/_static/sandbox.css", pages.style)
    for provider in world.providers.values():
        app.router.add_routes(provider.controls(world))
    app.router.add_routes(control.routes())
    app.router.add_routes(mailbox_routes.routes())
    for provider in world.providers.values():
        app.router.add_routes(provider.routes(world))
    return app


async def _tick(world: World) -> None:
    """Let time do what it does at the providers."""
    while True:
        for provider in world.providers.values():
            provider.elapse(world)
        await asyncio.sleep(_TICK)


async def _run(world: World, sock: socket.socket, *, announce: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    # Acting for many recipients at once must not wait for itself; cookies of one are not another's.
    world.http = ClientSession(
        connector=TCPConnector(limit=256, force_close=True),
        timeout=ClientTimeout(total=15),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
    )
    runner = web.AppRunner(
        build_app(world),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=_GRACE,
        keepalive_timeout=600,
    )
    await runner.setup()
    site = web.SockSite(runner, sock, backlog=1024)
    await site.start()
    if announce:
        host, port = sock.getsockname()[:2]
        print(f"sandbox ready: http://{host}:{port}", flush=True)
    ticking = loop.create_task(_tick(world))
    await stopping.wait()
    ticking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticking
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE * 3):
            await runner.cleanup()
    await pushing.end()
    await stripe_webhooks.end()
    await world.http.close()


def serve(
    sock: socket.socket,
    *,
    data: Path,
    clock_file: Path,
    tracking_url: str | None,
    announce: bool,
    stripe_webhook_url: str | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT."""
    world = build_world(
        data=data, clock_file=clock_file, tracking_url=tracking_url, stripe_webhook_url=stripe_webhook_url
    )
    try:
        uvloop.run(_run(world, sock, announce=announce))
    finally:
        world.store.close()
        world.clock.close()
