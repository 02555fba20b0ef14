"""`/_sandbox/microsoft/…`: what only Microsoft needs to be steered by."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.control import answered
from truesend_sandbox.microsoft import notices
from truesend_sandbox.world import World


async def _lifecycle(world: World, _request: web.Request, body: dict[str, Any]) -> object:
    strange = set(body) - {"account", "event"}
    if strange:
        raise ValueError(f"a lifecycle event has no {', '.join(sorted(strange))}")
    number = notices.lifecycle(world, normal_address(body.get("account")), str(body.get("event")))
    return {"subscriptions": number}


def routes(_: World) -> list[web.RouteDef]:
    """The addresses below `/_sandbox/microsoft`."""
    return [web.post("/_sandbox/microsoft/lifecycle", answered(_lifecycle))]
