"""What stands between a mailbox page and the tracker: the picture proxy and the way a click takes."""

from __future__ import annotations

import base64
import html

from aiohttp import web

from truesend_sandbox.mailbox import agents, content, views
from truesend_sandbox.mailbox.agents import AGENTS
from truesend_sandbox.mailbox.fetch import fetch, reachable
from truesend_sandbox.mailbox.messages import NoSuchThing, find, recipients
from truesend_sandbox.world import WORLD

_GREY = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGPYDwAA1QDUjVwB5gAAAABJRU5ErkJggg=="
)
_PASSED_ON = (
    "User-Agent",
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "Sec-Fetch-Site",
    "Sec-Fetch-Mode",
)


def _placeholder() -> web.Response:
    return web.Response(body=_GREY, content_type="image/png", headers={"Cache-Control": "no-store"})


async def proxy(request: web.Request) -> web.StreamResponse:
    """A picture fetched as Gmail's proxy does: its agent, its network, no cookies."""
    world = request.app[WORLD]
    try:
        row = find(world, request.match_info["id"])
    except NoSuchThing:
        raise web.HTTPNotFound from None
    shown = content.read(bytes(row["raw"]))
    number, address = int(request.match_info["number"]), request.query.get("to", "")
    if number >= len(shown.images) or address not in recipients(world, row["id"]):
        raise web.HTTPNotFound
    url, agent = shown.images[number], AGENTS["gmail"]
    if not reachable(world, url):
        return _placeholder()
    made = await fetch(
        world,
        "GET",
        url,
        ip=agents.image_ip(agent, address),
        user_agent=agent.image_user_agent,
        headers={**agent.image_headers, "Accept-Encoding": "identity"},
    )
    if made.status != 200 or not made.content_type.startswith("image/"):
        return _placeholder()
    return web.Response(
        body=made.body,
        headers={
            "Content-Type": made.content_type,
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def click(request: web.Request) -> web.StreamResponse:
    """A click: the tracker sees this browser at the recipient's public address, then the browser goes on."""
    world, address, row = views.find(request)
    shown = content.read(bytes(row["raw"]))
    number = int(request.match_info["number"])
    if number >= len(shown.links):
        raise web.HTTPNotFound(text="The message has no such link.")
    url = shown.links[number].url
    if not reachable(world, url):
        return _go(url)
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    # This page stands for a person's own mailbox, also when a test drives it without a screen.
    user_agent = headers.pop("User-Agent", "").replace("HeadlessChrome/", "Chrome/")
    headers["Accept-Encoding"] = "identity"
    made = await fetch(world, "GET", url, ip=agents.own_ip(address), user_agent=user_agent, headers=headers)
    if made.status == 200 and made.content_type.startswith("text/html"):
        return _go(url)  # a page, which a person sees in their own browser
    if made.location and made.status is not None and 300 <= made.status < 400:
        return _go(made.location)
    if made.status is None:
        words = html.escape(f"{url} did not answer: {made.error}")
        text = f"<!doctype html><title>No answer</title><p>{words}"
        return web.Response(status=502, text=text, content_type="text/html")
    return web.Response(
        status=made.status,
        body=made.body,
        headers={
            "Content-Type": made.content_type or "application/octet-stream",
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _go(url: str) -> web.Response:
    return web.Response(
        status=302, headers={"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )
