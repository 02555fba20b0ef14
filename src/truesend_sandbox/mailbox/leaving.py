"""Unsubscribing as a mail program does, where the mail says how."""

from __future__ import annotations

from aiohttp import web
from yarl import URL

from truesend_sandbox.mailbox import agents, views
from truesend_sandbox.mailbox.agents import AGENTS, Agent
from truesend_sandbox.mailbox.fetch import Fetched, fetch
from truesend_sandbox.mailbox.lists import ONE_CLICK, one_click_address
from truesend_sandbox.world import World

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def one_click(
    world: World, url: str, address: str, agent: Agent, *, ip: str = "", headers: dict[str, str] | None = None
) -> Fetched:
    """The POST of RFC 8058: no cookie, no referer, no redirect followed."""
    return await fetch(
        world,
        "POST",
        url,
        ip=ip or agents.image_ip(agent, address),
        user_agent=agent.image_user_agent,
        headers={**FORM, **(headers or {})},
        body=ONE_CLICK.encode(),
    )


async def unsubscribe(request: web.Request) -> web.StreamResponse:
    """The mailbox's own button, as Gmail shows it beside the sender."""
    world, address, row = views.find(request)
    url = one_click_address(bytes(row["raw"]))
    if not url:
        raise web.HTTPNotFound(text="The message does not say how to unsubscribe by one click.")
    made = await one_click(world, url, address, AGENTS["gmail"])
    told = str(made.status) if made.status is not None else "none"
    raise web.HTTPSeeOther(URL(views.place(address, row)).with_query(unsubscribed=told))
