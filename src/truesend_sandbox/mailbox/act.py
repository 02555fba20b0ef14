"""`POST /_sandbox/messages/{id}/act`: do as a recipient, or what stands between, would do."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.mailbox import agents, answers, content, leaving
from truesend_sandbox.mailbox.agents import AGENTS, Agent
from truesend_sandbox.mailbox.fetch import Fetched, fetch
from truesend_sandbox.mailbox.lists import one_click_address
from truesend_sandbox.mailbox.messages import NoSuchThing, find, recipients
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

__all__ = ["NoSuchThing", "act"]

_WEB_KEYS = {"act", "as", "to", "link", "ip", "user_agent", "headers", "via", "method"}
_ACTS: Mapping[str, frozenset[str]] = {
    "open": frozenset(_WEB_KEYS - {"link"}),
    "click": frozenset(_WEB_KEYS),
    "scan": frozenset(_WEB_KEYS - {"link", "via"}),
    "unsubscribe": frozenset(_WEB_KEYS - {"link", "via", "method"}),
    **{name: keys | {"act", "as", "to"} for name, keys in answers.KEYS.items()},
}


@dataclass(frozen=True)
class _Actor:
    """Who fetches, with what the caller has set himself."""

    world: World
    agent: Agent
    address: str
    ip: str | None
    user_agent: str | None
    headers: dict[str, str]

    async def image(self, url: str, method: str = "GET") -> Fetched:
        return await fetch(
            self.world,
            method,
            url,
            ip=self.ip or agents.image_ip(self.agent, self.address),
            user_agent=self.agent.image_user_agent if self.user_agent is None else self.user_agent,
            headers={**self.agent.image_headers, **self.headers},
        )

    async def page(self, url: str, method: str = "GET", referer: str | None = None) -> Fetched:
        own = {} if referer is None else {"Referer": referer}
        return await fetch(
            self.world,
            method,
            url,
            ip=self.ip or agents.page_ip(self.agent, self.address),
            user_agent=self.agent.page_user_agent if self.user_agent is None else self.user_agent,
            headers={**self.agent.page_headers, **own, **self.headers},
        )


async def act(world: World, message_id: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Do it and say what was done. Raises `ValueError` for a wrong wish, `NoSuchThing` for no message."""
    row = find(world, message_id)
    name = wanted.get("act")
    if not isinstance(name, str) or name not in _ACTS:
        raise ValueError(f"unknown act {name!r}; known: {', '.join(_ACTS)}")
    strange = set(wanted) - _ACTS[name]
    if strange:
        raise ValueError(
            f"{name} has no {', '.join(sorted(strange))}; known: {', '.join(sorted(_ACTS[name]))}"
        )
    address = _recipient(world, row, wanted.get("to"))
    done = {"id": str(row["id"]), "act": name, "to": address}
    if name in answers.KEYS:
        return {**done, **answers.write(world, row, address, name, wanted)}
    defaults = {"scan": "safelinks", "unsubscribe": "gmail"}
    actor = _actor(world, address, wanted, default=defaults.get(name, "browser"))
    shown = content.read(bytes(row["raw"]))
    if name == "open":
        made = [await actor.image(url, _method(wanted)) for url in shown.images]
    elif name == "unsubscribe":
        made = [await _unsubscribe(actor, bytes(row["raw"]))]
    elif name == "click":
        made = [await actor.page(_link(shown, wanted.get("link", 0)), _method(wanted), _referer(wanted))]
    else:
        made = await _scan(actor, shown, wanted)
    return {**done, "as": actor.agent.name, "requests": [request.public() for request in made]}


def _recipient(world: World, row: Row, wanted: object) -> str:
    people = recipients(world, row["id"])
    if wanted is None:
        return people[0]
    address = normal_address(wanted)
    if address not in people:
        raise ValueError(f"{address} is no recipient of this message; it went to {', '.join(people)}")
    return address


def _actor(world: World, address: str, wanted: Mapping[str, Any], *, default: str) -> _Actor:
    name = wanted.get("as", default)
    if name not in AGENTS:
        raise ValueError(f"unknown agent {name!r}; known: {', '.join(AGENTS)}")
    ip, user_agent, headers = wanted.get("ip"), wanted.get("user_agent"), wanted.get("headers", {})
    if ip is not None:
        ip = str(ipaddress.ip_address(str(ip)))
    if user_agent is not None and not isinstance(user_agent, str):
        raise ValueError("user_agent must be text")
    if not isinstance(headers, dict) or not all(
        isinstance(value, str) and not set(value + key) & {"\r", "\n"} for key, value in headers.items()
    ):
        raise ValueError("headers must be an object of names and texts")
    return _Actor(world, AGENTS[name], address, ip, user_agent, headers)


def _method(wanted: Mapping[str, Any]) -> str:
    method = wanted.get("method", "GET")
    if method not in ("GET", "HEAD", "POST"):
        raise ValueError("method must be GET, HEAD or POST")
    return str(method)


def _referer(wanted: Mapping[str, Any]) -> str | None:
    """`via`: the gateway that had rewritten the link which a person clicks."""
    via = wanted.get("via")
    if via is None:
        return None
    gateways = [agent.name for agent in AGENTS.values() if agent.is_gateway]
    if via not in gateways:
        raise ValueError(f"via must be one of {', '.join(gateways)}")
    return AGENTS[via].referer


def _link(shown: content.Content, wanted: object) -> str:
    """A link of the message by its number, address or text."""
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        if not 0 <= wanted < len(shown.links):
            raise ValueError(f"the message has {len(shown.links)} links; there is no link {wanted}")
        return shown.links[wanted].url
    for link in shown.links:
        if wanted in (link.url, link.text):
            return link.url
    raise ValueError(f"the message has no link {wanted!r}")


async def _unsubscribe(actor: _Actor, raw: bytes) -> Fetched:
    url = one_click_address(raw)
    if not url:
        raise ValueError("the message does not say how to unsubscribe by one click")
    return await leaving.one_click(
        actor.world, url, actor.address, actor.agent, ip=actor.ip or "", headers=actor.headers
    )


async def _scan(actor: _Actor, shown: content.Content, wanted: Mapping[str, Any]) -> list[Fetched]:
    """Every link at once and the images, as a gateway does before it lets the mail through."""
    methods = (_method(wanted),) if "method" in wanted else actor.agent.scan_methods
    urls = list(dict.fromkeys(link.url for link in shown.links))
    made: list[Fetched] = []
    for method in methods:
        made += await asyncio.gather(*(actor.page(url, method) for url in urls))
    made += await asyncio.gather(*(actor.image(url) for url in dict.fromkeys(shown.images)))
    return made
