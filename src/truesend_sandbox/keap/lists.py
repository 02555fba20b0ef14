"""Lists in both APIs: v2's filter grammar, order and page tokens, v1's limit and offset (keap.md §2)."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from yarl import URL

from truesend_sandbox.keap.errors import json_answer
from truesend_sandbox.keap.gateway import Caller

PAGE = 1000
"""Items of a page nobody has asked to be shorter: v1's limit as one party reports it, and v2's most."""

_TERM = re.compile(r"([A-Za-z_]+)(==|>=|<=|>|<)(.*)", re.S)
_TOKEN = re.compile(r"keap:(\d{1,15})")


@dataclass(frozen=True)
class Window:
    """Which items of the whole list: `start` up to `end`."""

    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


def filters(caller: Caller, known: Sequence[str]) -> dict[str, str] | web.Response:
    """The `filter` as field → value: `email==a@b.c;contact_id==1`. 400 for what the list does not know.

    Every other query parameter is ignored, so that a filter given wrongly returns everything.
    """
    text = caller.call.request.query.get("filter", "")
    found: dict[str, str] = {}
    for term in text.split(";"):
        if not term.strip():
            continue
        match = _TERM.fullmatch(term.strip())
        if match is None:
            return caller.error(400, f"Invalid filter: {term.strip()}", "filter")
        name, operator, value = match.groups()
        if name not in known or operator != "==":
            return caller.error(400, f"Invalid filter: {name}{operator}", "filter")
        found[name] = value
    return found


def several(value: str | None) -> set[str] | None:
    """The values of a set filter `a,b`; None when it was not given."""
    return None if value is None else {part.strip() for part in value.split(",") if part.strip()}


def matches(wanted: str | None, value: str) -> bool:
    """Whether a text meets a filter; a closing `*` stands for anything, letters' case counts for nothing."""
    if wanted is None:
        return True
    wanted, value = wanted.lower(), value.lower()
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def order(caller: Caller, known: Sequence[str]) -> tuple[str, bool] | web.Response | None:
    """`order_by=created_time desc` as (field, downwards); None when nothing is asked."""
    text = caller.call.request.query.get("order_by", "").strip()
    if not text:
        return None
    name, _, direction = text.partition(" ")
    direction = direction.strip().lower() or "asc"
    if name not in known or direction not in ("asc", "desc"):
        return caller.error(400, f"Invalid order_by: {text}", "order_by")
    return name, direction == "desc"


def window_v2(caller: Caller, *, most: int = PAGE, least: int = 0) -> Window | web.Response:
    """`page_size` and `page_token`."""
    query = caller.call.request.query
    size, start = most, 0
    text = query.get("page_size", "")
    if text:
        if not text.isdecimal() or not least <= int(text) <= most:
            return caller.error(400, f"page_size must be between {least} and {most}", "page_size")
        size = int(text) or most
    token = query.get("page_token", "")
    if token:
        try:
            match = _TOKEN.fullmatch(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
        except ValueError:  # of base64 as of UTF-8
            match = None
        if match is None:
            return caller.error(400, "Invalid page_token", "page_token")
        start = int(match[1])
    return Window(start, size)


def page_v2(caller: Caller, name: str, items: list[Any], window: Window, *, more: bool) -> web.Response:
    """`{name: items, next_page_token}`."""
    body: dict[str, Any] = {name: items}
    if more:
        text = base64.urlsafe_b64encode(f"keap:{window.end}".encode()).decode()
        body["next_page_token"] = text.rstrip("=")
    elif caller.call.switch("last_page_token") == "empty":
        body["next_page_token"] = ""
    return json_answer(body)


def window_v1(caller: Caller) -> Window | web.Response:
    """`limit` and `offset`."""
    numbers = []
    for name, default in (("limit", PAGE), ("offset", 0)):
        text = caller.call.request.query.get(name, str(default))
        if not text.isdecimal() or len(text) > 9:
            return caller.error(400, f"{name} must be a number")
        numbers.append(int(text))
    return Window(numbers[1], min(numbers[0], PAGE) or PAGE)


def page_v1(caller: Caller, name: str, items: list[Any], count: int, window: Window) -> web.Response:
    """`{name: items, count, next, previous}` with whole addresses."""

    def at(start: int) -> str:
        url = URL(f"{caller.call.request.scheme}://{caller.call.request.host}{caller.path}")
        query = dict(caller.call.request.query)
        query.pop("access_token", None)
        return str(url.with_query({**query, "limit": str(window.size), "offset": str(max(0, start))}))

    return json_answer(
        {
            name: items,
            "count": count,
            "next": at(window.start + window.size),
            "previous": at(window.start - window.size),
        }
    )
