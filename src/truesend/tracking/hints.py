"""What one hit tells by itself: its sender's network, what led to it, whether it is ahead of a look. Pure."""

from __future__ import annotations

import bisect
import functools
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from truesend.tracking import rules
from truesend.tracking.addresses import Holders, evidence_address
from truesend.tracking.rules import Rules

_FETCHED_AHEAD = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
AHEAD_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")


@dataclass(frozen=True, slots=True)
class Seen:
    """One hit as evidence; header names in lower case.

    ``network_recipients``: how many recipients its network came to within the rules' seconds;
    ``count`` > 1: a flood of identical hits in one row.
    """

    at: datetime
    kind: str
    link: int | None = None
    method: str = "GET"
    ip: str | None = None
    user_agent: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    count: int = 1
    network_recipients: int = 1


def rewriter(hit: Seen, version: Rules) -> str | None:
    """The service whose own address led a browser here, where it was a click."""
    if hit.kind != "click":
        return None
    try:
        host = urlsplit(hit.headers.get("referer", "")).hostname or ""
    except ValueError:
        return None
    named = (name for part, name in version.rewriters if host == part or host.endswith("." + part))
    return next(named, None)


def sender_key(ip: str | None) -> str | None:
    """What two addresses of one device share: IPv4 all of it, IPv6 its /64."""
    address = evidence_address(ip)
    if address is None:
        return None
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


@functools.cache
def _holders_of(version: str, name: str) -> Holders:
    return Holders(getattr(rules.VERSIONS[version], name))


def holders(version: Rules, name: str) -> Holders:
    """The networks that a version of the rules has under that name."""
    return _holders_of(version.version, name)


def is_ahead(hit: Seen) -> bool:
    """Whether a browser says that it loads this before anybody looks."""
    return any(_FETCHED_AHEAD.search(hit.headers.get(name, "")) for name in AHEAD_HEADERS)


def flood_key(hit: Seen) -> tuple[object, ...]:
    """What identical hits share."""
    return hit.kind, hit.link, hit.ip, hit.user_agent


def near(times: Sequence[datetime], at: datetime, seconds: float) -> bool:
    """Whether one of the sorted ``times`` lies within ``seconds`` of ``at``."""
    found = bisect.bisect_left(times, at)
    return any(abs((at - one).total_seconds()) <= seconds for one in times[max(found - 1, 0) : found + 1])


def told_seconds(seconds: float) -> str:
    """For people."""
    return f"{seconds:.1f} s" if seconds < 1 else f"{seconds:.0f} s"
