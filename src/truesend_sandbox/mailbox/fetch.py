"""Fetching as somebody else: never beyond this machine or the tracker."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from truesend_sandbox.world import World

MAX_ANSWER = 4 * 1024 * 1024


@dataclass
class Fetched:
    """One request made, or why it was not: then `status` is None and `error` says it."""

    method: str
    url: str
    ip: str
    user_agent: str
    status: int | None = None
    location: str | None = None
    content_type: str = ""
    ms: float = 0
    error: str | None = None
    body: bytes = b""

    def public(self) -> dict[str, Any]:
        shown = asdict(self)
        shown.pop("body")
        return {**shown, "ms": round(self.ms, 1)}


def reachable(world: World, url: str) -> bool:
    """Whether that address is on this machine or the tracker's."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError:
        return False
    if parts.scheme.lower() not in ("http", "https"):
        return False
    if world.tracking_url:
        tracker = urlsplit(world.tracking_url)
        if (parts.scheme.lower(), host, port) == (tracker.scheme, tracker.hostname, tracker.port):
            return True
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def fetch(
    world: World,
    method: str,
    url: str,
    *,
    ip: str,
    user_agent: str,
    headers: dict[str, str],
    body: bytes | None = None,
) -> Fetched:
    """One request with that address and agent; redirects are reported, not followed."""
    made = Fetched(method, url, ip, user_agent)
    if not reachable(world, url):
        made.error = "not fetched: the address is not on this machine"
        return made
    sent = {**headers, "User-Agent": user_agent, "X-Forwarded-For": ip}
    started = time.perf_counter()
    try:
        async with world.http.request(
            method,
            url,
            headers=sent,
            data=body,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept"),
        ) as response:
            made.status = response.status
            made.location = response.headers.get("Location")
            made.content_type = response.headers.get("Content-Type", "")
            made.body = await response.content.read(MAX_ANSWER)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        made.error = f"{type(error).__name__}: {error}"
    made.ms = (time.perf_counter() - started) * 1000
    return made
