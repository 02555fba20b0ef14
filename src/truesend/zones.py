"""Time zones by their names in the tz database. Pure."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

UNKNOWN_ZONE = "UTC"


@cache
def zones() -> frozenset[str]:
    """The names of all zones, as the tz database has them and browsers tell them."""
    return frozenset(available_timezones())


@cache
def listed() -> list[str]:
    """Those a person chooses from: by place, and UTC."""
    aside = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    return ["UTC", *sorted(one for one in zones() if "/" in one and not one.startswith(aside))]


def zone(name: str) -> ZoneInfo:
    """The zone of that name, or UTC where there is none."""
    return ZoneInfo(name if name in zones() else UNKNOWN_ZONE)
