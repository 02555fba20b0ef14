"""What Keap may add to a mail it sends, by switches (unconfirmed for mail of the API), and what comes back of it."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import replace

from aiohttp import web

from truesend_sandbox.keap import addresses
from truesend_sandbox.keap.compose import Content
from truesend_sandbox.keap.gateway import Caller
from truesend_sandbox.pages import render
from truesend_sandbox.store import Row
from truesend_sandbox.world import WORLD, World

_HREF = re.compile(r"""(<a(?:rea)?\b[^>]*?\shref\s*=\s*)(["'])(https?://.*?)\2""", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"</body\s*>(?!.*</body\s*>)", re.IGNORECASE | re.DOTALL)
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def _appended(text: str, extra: str) -> str:
    """Before the end of the body, or at the end where there is none."""
    found = _END.search(text)
    return text + extra if found is None else text[: found.start()] + extra + text[found.start() :]


def dress(caller: Caller, content: Content, number: str) -> tuple[Content, list[str]]:
    """The content with Keap's links, footer and pixel as the switches say, and where its links led to.

    `number` is the mail's own, which the added addresses carry.
    """
    call = caller.call
    base = f"{call.request.scheme}://{call.request.host}/keap"
    text, plain, links = content.html, content.plain, list[str]()
    if text is not None and call.switch("wrap_links"):

        def wrapped(found: re.Match[str]) -> str:
            links.append(html.unescape(found[3]))
            return f"{found[1]}{found[2]}{base}/link/{number}/{len(links) - 1}{found[2]}"

        text = _HREF.sub(wrapped, text)
    if call.switch("unsubscribe_footer"):
        out = f"{base}/unsubscribe/{number}"
        if text is not None:
            text = _appended(text, f'<p style="font-size:11px"><a href="{out}">Unsubscribe</a></p>')
        if plain is not None:
            plain += f"\r\n\r\nUnsubscribe: {out}\r\n"
    if text is not None and call.switch("own_pixel"):
        text = _appended(text, f'<img src="{base}/pixel/{number}.gif" width="1" height="1" alt="">')
    return replace(content, html=text, plain=plain), links


def _mail(request: web.Request) -> tuple[World, Row]:
    world = request.app[WORLD]
    row = world.store.one(
        "SELECT * FROM keap_emails WHERE sent = 1 AND original_provider_id = ?", request.match_info["number"]
    )
    if row is None:
        raise web.HTTPNotFound(text="There is no such mail.")
    return world, row


def _noted(world: World, row: Row, moment: str, column: str) -> None:
    """The first such moment of a mail stays, an address keeps its latest."""
    data = json.loads(row["data"])
    now = world.clock.now()
    data.setdefault(moment, now)
    world.store.run("UPDATE keap_emails SET data = ? WHERE id = ?", json.dumps(data), row["id"])
    world.store.run(
        f"UPDATE keap_addresses SET {column} = ? WHERE tenant = ? AND email = ?",  # noqa: S608  # own words
        now,
        row["tenant"],
        row["to_address"],
    )


async def pixel(request: web.Request) -> web.StreamResponse:
    """Keap's own picture: the mail was opened."""
    world, row = _mail(request)
    with world.store.write():
        _noted(world, row, "opened_time", "last_open_at")
    return web.Response(body=_GIF, content_type="image/gif", headers={"Cache-Control": "no-store"})


async def link(request: web.Request) -> web.StreamResponse:
    """A link that Keap has wrapped: noted, then on to where it led."""
    world, row = _mail(request)
    links, index = json.loads(row["data"]).get("links", []), int(request.match_info["index"])
    if index >= len(links):
        raise web.HTTPNotFound(text="There is no such link.")
    with world.store.write():
        _noted(world, row, "clicked_time", "last_click_at")
    return web.Response(status=302, headers={"Location": links[index], "Cache-Control": "no-store"})


async def unsubscribe(request: web.Request) -> web.StreamResponse:
    """The page behind Keap's footer: asked first, done by POST."""
    world, row = _mail(request)
    if request.method == "POST":
        with world.store.write():
            addresses.put(world, row["tenant"], row["to_address"], "MANUAL", "unsubscribed")
    return render(world, "keap_unsubscribe.html", address=row["to_address"], done=request.method == "POST")


def returned(world: World, arrival_id: int, address: str, status: str) -> bool:
    """A mail came back, and Keap takes the report itself. True: its sender gets no mail about it.

    `status` is the report's, 5.x.x for good, 4.x.x for now; a bounce shows as the address's status [SPEC].
    """
    row = world.store.one("SELECT * FROM keap_emails WHERE arrival_id = ?", arrival_id)
    if row is None:
        return False
    kind = "HARD_BOUNCE" if status.startswith("5") else "BOUNCE"
    addresses.put(world, row["tenant"], address, kind, "bounced")
    return True


def routes() -> list[web.RouteDef]:
    """The addresses that added links and pictures lead to."""
    return [
        web.get("/keap/pixel/{number:[0-9a-f]{32}}.gif", pixel),
        web.get("/keap/link/{number:[0-9a-f]{32}}/{index:\\d{1,4}}", link),
        web.get("/keap/unsubscribe/{number:[0-9a-f]{32}}", unsubscribe),
        web.post("/keap/unsubscribe/{number:[0-9a-f]{32}}", unsubscribe),
    ]
