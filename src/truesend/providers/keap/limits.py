"""Whose limit a 429 of Keap's speaks of, and until when (quota page, and answers seen; keap.md "Limits").

Every answer carries `x-keap-product-quota-*` (a day, UTC), `x-keap-product-throttle-*` (a minute) and
`x-keap-tenant-throttle-*` (an app's, all tokens together; since 2026 two windows joined by a pipe). Product means the
client with OAuth, else the key. The 429's body is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from truesend import clock
from truesend.providers import retry_after

_QUOTA, _TENANT = "x-keap-product-quota", "x-keap-tenant-throttle"


@dataclass(frozen=True)
class Limit:
    """The cause, when it ends where that is said, and whether every connection of this installation meets it."""

    cause: str
    until: datetime | None
    client_wide: bool


def read(headers: Mapping[str, str]) -> Limit:
    """The limit behind a 429: the one that has nothing left.

    A spike (25 calls a second) has no header of its own; it passes for the client's minute, as it is the client's too.
    """
    now = clock.now()
    told = retry_after.of_header(headers.get("Retry-After"), now)
    if _spent(headers, _QUOTA) == "day":
        return Limit("project_limit", _later(now, told, _moment(headers.get(f"{_QUOTA}-expiry-time"))), True)
    unit = _spent(headers, _TENANT)
    if unit == "day":
        # An app's calls start anew at midnight UTC, as a client's do.
        return Limit("daily_limit", _later(now, told, _midnight(now)), False)
    return Limit("throttled", _later(now, told), unit == "")


def _later(now: datetime, *told: datetime | None) -> datetime | None:
    return retry_after.to_come(told, now)


def _spent(headers: Mapping[str, str], family: str) -> str:
    """The longest window of a family that has nothing left: ``day``, ``minute``, or empty."""
    units = headers.get(f"{family}-time-unit", "").split("|")
    left = headers.get(f"{family}-available", "").split("|")
    empty = {unit.strip() for unit, number in zip(units, left, strict=False) if number.strip() == "0"}
    return next((unit for unit in ("day", "minute") if unit in empty), "")


def _moment(milliseconds: str | None) -> datetime | None:
    text = (milliseconds or "").strip()
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC) if text.isascii() and text.isdigit() else None
    except (ValueError, OverflowError, OSError):
        return None


def _midnight(now: datetime) -> datetime:
    tomorrow = now.astimezone(UTC) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
