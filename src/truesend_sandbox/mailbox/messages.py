"""`GET /_sandbox/messages`: what arrived, one item per mark, with how often it did."""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.clock import rfc3339
from truesend_sandbox.store import Row
from truesend_sandbox.world import World


class NoSuchThing(LookupError):
    """There is nothing of that name or number."""


@dataclass
class _Group:
    first: int
    mark: str | None
    arrivals: list[int] = field(default_factory=list)


def find(world: World, text: str) -> Row:
    """The arrival of that id. Raises `NoSuchThing`."""
    row = None
    if text.isdecimal() and len(text) < 18:
        row = world.store.one("SELECT * FROM arrivals WHERE id = ?", int(text))
    if row is None:
        raise NoSuchThing(f"there is no message {text}")
    return row


def recipients(world: World, arrival_id: int) -> list[str]:
    """The addresses one arrival went to, in order."""
    rows = world.store.all(
        "SELECT address FROM arrival_recipients WHERE arrival_id = ? ORDER BY position", arrival_id
    )
    return [row["address"] for row in rows]


def _groups(world: World, to: str | None, delivery: str | None) -> list[_Group]:
    if to is not None:
        rows = world.store.all(
            "SELECT a.id, a.mark FROM arrival_recipients r JOIN arrivals a ON a.id = r.arrival_id"
            " WHERE r.address = ?1 AND (?2 IS NULL OR a.mark = ?2) ORDER BY a.id",
            to,
            delivery,
        )
    elif delivery is not None:
        rows = world.store.all("SELECT id, mark FROM arrivals WHERE mark = ? ORDER BY id", delivery)
    else:
        rows = world.store.all("SELECT id, mark FROM arrivals ORDER BY id")
    groups: dict[str, _Group] = {}
    for row in rows:
        key = f"mark:{row['mark']}" if row["mark"] else f"id:{row['id']}"
        group = groups.setdefault(key, _Group(row["id"], row["mark"]))
        group.arrivals.append(row["id"])
    return list(groups.values())


def _item(world: World, group: _Group, to: str | None = None) -> dict[str, Any]:
    row = find(world, str(group.first))
    raw = bytes(row["raw"])
    people = Counter(address for number in group.arrivals for address in recipients(world, number))
    item: dict[str, Any] = {
        "id": str(row["id"]),
        "delivery": group.mark,
        "provider": row["provider"],
        "from": row["sender"],
        "to": list(people),
        "subject": row["subject"],
        "at": rfc3339(row["at"]),
        "raw": raw.decode("utf-8", "replace"),
        # One call may send a copy to each of several people; what counts is how often one of them got it.
        "count": max(people.values(), default=0) if to is None else people[to],
        "arrivals": [str(number) for number in group.arrivals],
    }
    try:
        raw.decode()
    except UnicodeDecodeError:
        item["raw_base64"] = base64.b64encode(raw).decode()
    return item


async def listing(world: World, request: web.Request) -> web.StreamResponse:
    """All of them, written as they are read: a storm's worth does not fit into one answer in memory."""
    strange = set(request.query) - {"to", "delivery"}
    if strange:
        raise ValueError(f"messages are filtered by to and delivery, not by {', '.join(sorted(strange))}")
    to = request.query.get("to")
    to = None if to is None else normal_address(to)
    groups = _groups(world, to, request.query.get("delivery"))
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    await response.prepare(request)
    await response.write(b'{"items": [')
    for start in range(0, len(groups), 50):
        text = ",".join(json.dumps(_item(world, group, to)) for group in groups[start : start + 50])
        await response.write(("," if start else "").encode() + text.encode())
    await response.write(b"]}")
    await response.write_eof()
    return response


async def one(world: World, request: web.Request, _: dict[str, Any]) -> object:
    """One arrival."""
    row = find(world, request.match_info["id"])
    return _item(world, _Group(row["id"], row["mark"], [row["id"]]))
