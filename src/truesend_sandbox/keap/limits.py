"""Counts, limits and the headers every answer carries (keap.md §2, "Limits")."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.keap import errors, people
from truesend_sandbox.world import World

MINUTE, DAY = 60, 86_400
_FAMILY = (
    "x-keap-product-quota-limit",
    "x-keap-product-quota-time-unit",
    "x-keap-product-quota-interval",
    "x-keap-product-quota-available",
    "x-keap-product-quota-used",
    "x-keap-product-quota-expiry-time",
    "x-keap-product-throttle-limit",
    "x-keap-product-throttle-time-unit",
    "x-keap-product-throttle-interval",
    "x-keap-product-throttle-available",
    "x-keap-product-throttle-used",
    "x-keap-tenant-id",
    "x-keap-tenant-throttle-limit",
    "x-keap-tenant-throttle-time-unit",
    "x-keap-tenant-throttle-interval",
    "x-keap-tenant-throttle-available",
    "x-keap-tenant-throttle-used",
)


@dataclass(frozen=True)
class Holder:
    """What a call is counted under: the client or the key, and the app. `kind` is `client` or `key`."""

    kind: str
    name: str
    tenant: str


def _window(world: World, key: str, seconds: int) -> deque[tuple[float, int]]:
    """One entry: when the running window began, and the calls in it. Kept in memory only."""
    start = world.clock.now() // seconds * seconds
    held = world.spent.setdefault(f"keap:{key}:{seconds}", deque([(start, 0)]))
    if held[0][0] != start:
        held[0] = (start, 0)
    return held


def _keys(holder: Holder) -> list[tuple[str, str, int]]:
    """`(what is counted, switch of its limit, window)`, the spike first, as the gateway looks."""
    own, app = f"{holder.kind}:{holder.name}", f"tenant:{holder.tenant}"
    return [
        (own, f"{holder.kind}_per_second", 1),
        (own, f"{holder.kind}_per_minute", MINUTE),
        (own, f"{holder.kind}_per_day", DAY),
        (app, "tenant_per_minute", MINUTE),
        (app, "tenant_per_day", DAY),
    ]


def count(call: Call, holder: Holder) -> web.Response | None:
    """Count the call; 429 when a limit is passed, and then it is not counted."""
    if not call.switch("enforce_limits"):
        return None
    windows = [
        (_window(call.world, key, seconds), call.switch(switch), seconds)
        for key, switch, seconds in _keys(holder)
    ]
    for held, limit, seconds in windows:
        start, used = held[0]
        if used >= limit:
            return errors.throttled(call, spike=seconds == 1, retry_after=start + seconds - call.now)
    for held, _, _ in windows:
        start, used = held[0]
        held[0] = (start, used + 1)
    return None


def stamp(
    call: Call, response: web.Response, holder: Holder | None, spent: tuple[str, float] | None = None
) -> web.Response:
    """Write the headers on an answer; blank where the gateway does not know who asks.

    `spent` is a limit that a fault has used up: (`throttle` or `quota`, seconds until it is free again).
    """
    response.headers["x-request-id"] = secrets.token_hex(16)
    if holder is None:
        for name in _FAMILY:
            response.headers[name] = ""
        return response
    values = [
        _product(call, holder, "throttle", MINUTE, spent),
        _product(call, holder, "quota", DAY, spent),
        _tenant(call, holder),
    ]
    for family in values:
        response.headers.update(family)
    response.headers["x-keap-product-spike-limit"] = f"{call.switch(f'{holder.kind}_per_second')}ps"
    return response


def _used(call: Call, key: str, seconds: int) -> int:
    """Calls in the running window; this one alone while nothing is counted."""
    return _window(call.world, key, seconds)[0][1] if call.switch("enforce_limits") else 1


def _product(
    call: Call, holder: Holder, family: str, seconds: int, spent: tuple[str, float] | None
) -> dict[str, str]:
    unit = "minute" if seconds == MINUTE else "day"
    limit = call.switch(f"{holder.kind}_per_{unit}")
    used = _used(call, f"{holder.kind}:{holder.name}", seconds)
    until = (call.now // DAY + 1) * DAY
    if spent is not None and spent[0] == family:
        used, until = limit, call.now + spent[1]
    prefix = f"x-keap-product-{family}"
    values = {
        f"{prefix}-limit": str(limit),
        f"{prefix}-time-unit": unit,
        f"{prefix}-interval": "1",
        f"{prefix}-available": str(max(0, limit - used)),
        f"{prefix}-used": str(used),
    }
    if family == "quota":
        values[f"{prefix}-expiry-time"] = str(round(until * 1000))
    return values


def _tenant(call: Call, holder: Holder) -> dict[str, str]:
    windows = [("minute", MINUTE), ("day", DAY)]
    if call.switch("tenant_windows") == "one":
        windows = windows[:1]
    limits = [call.switch(f"tenant_per_{unit}") for unit, _ in windows]
    used = [_used(call, f"tenant:{holder.tenant}", seconds) for _, seconds in windows]
    prefix = "x-keap-tenant-throttle"
    available = [max(0, limit - number) for limit, number in zip(limits, used, strict=True)]
    return {
        "x-keap-tenant-id": holder.tenant + people.HOST,
        f"{prefix}-limit": "|".join(map(str, limits)),
        f"{prefix}-time-unit": "|".join(unit for unit, _ in windows),
        f"{prefix}-interval": "|".join("1" for _ in windows),
        f"{prefix}-available": "|".join(map(str, available)),
        f"{prefix}-used": "|".join(map(str, used)),
    }
