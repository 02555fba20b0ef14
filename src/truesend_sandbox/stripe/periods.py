"""Billing periods: calendar months and years from the anchor's day, as Stripe counts them."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import Any

from truesend_sandbox.stripe.objects import Thing

DAY = 86_400


def first(sub: Thing) -> Thing:
    """The item whose price gives the period."""
    made: Thing = sub["items"]["data"][0]
    return made


def start(sub: Thing) -> int:
    """When the present period began."""
    return int(first(sub)["current_period_start"])


def end(sub: Thing) -> int:
    """When the present period ends."""
    return int(first(sub)["current_period_end"])


def move(sub: Thing, begin: int, until: int) -> None:
    """Every item is in that period."""
    for item in sub["items"]["data"]:
        item["current_period_start"], item["current_period_end"] = begin, until


def after(begin: int, recurring: dict[str, Any], anchor: int) -> int:
    """The end of the period that begins then: the same day of the anchor, or the month's last."""
    count, every = recurring["interval_count"], recurring["interval"]
    moment = datetime.fromtimestamp(begin, UTC)
    if every in ("day", "week"):
        return int((moment + timedelta(days=count * (7 if every == "week" else 1))).timestamp())
    months = moment.month - 1 + count * (12 if every == "year" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(datetime.fromtimestamp(anchor, UTC).day, calendar.monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())
