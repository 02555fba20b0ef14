"""Stripe's objects in the store: kept by id, listed the newest first, expanded on demand."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable
from typing import Any

from truesend_sandbox.store import Row
from truesend_sandbox.stripe.errors import Refusal, invalid, missing
from truesend_sandbox.stripe.forms import Params, list_of, whole
from truesend_sandbox.world import World

Thing = dict[str, Any]

_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """`sub_1AbC…`."""
    return f"{prefix}_" + "".join(secrets.choice(_LETTERS) for _ in range(length))


def public(thing: Thing) -> Thing:
    """The object as Stripe shows it: without what is ours."""
    return {name: value for name, value in thing.items() if name != "_"}


def put(world: World, thing: Thing, *, next_at: float | None = None) -> None:
    """Keep the object as it stands now; `next_at` is when the clock does something to it."""
    owner = thing["id"] if thing["object"] == "customer" else thing.get("customer")
    world.store.run(
        "INSERT INTO stripe_objects (id, kind, customer, next_at, data) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (id) DO UPDATE SET customer = ?3, next_at = ?4, data = ?5",
        thing["id"],
        thing["object"],
        owner,
        next_at,
        json.dumps(thing),
    )


def _thing(row: Row) -> Thing:
    made: Thing = json.loads(row["data"])
    return made


def find(world: World, kind: str, identifier: object) -> Thing | None:
    """The object of that kind; None when there is none."""
    row = world.store.one("SELECT data FROM stripe_objects WHERE id = ? AND kind = ?", str(identifier), kind)
    return None if row is None else _thing(row)


def need(world: World, kind: str, identifier: object, param: str = "id") -> Thing:
    """The object of that kind. Raises `Refusal`: 404, or 400 where it was named in a parameter."""
    found = find(world, kind, identifier)
    if found is None:
        raise missing(kind, str(identifier), param)
    return found


def all_of(world: World, kind: str, customer: str | None = None) -> list[Thing]:
    """Every object of a kind, or a customer's, the newest first."""
    rows = world.store.all(
        "SELECT data FROM stripe_objects WHERE kind = ?1 AND (?2 IS NULL OR customer = ?2) ORDER BY seq DESC",
        kind,
        customer,
    )
    return [_thing(row) for row in rows]


def page(found: list[Thing], params: Params, url: str) -> Thing:
    """The list `found` as one page: `limit` 1 to 100, `starting_after`, `ending_before`. Raises `Refusal`."""
    limit = whole(params, "limit", least=1, most=100) or 10
    ids = [thing["id"] for thing in found]
    after, before = params.get("starting_after"), params.get("ending_before")
    if after is not None and before is not None:
        raise invalid("starting_after", "You may not have both starting_after and ending_before.")
    for name, mark in (("starting_after", after), ("ending_before", before)):
        if mark is not None and mark not in ids:
            raise Refusal(f"No such object: '{mark}'", code="resource_missing", param=name)
    if before is not None:
        rest = found[: ids.index(before)]
        data, more = rest[-limit:], len(rest) > limit
    else:
        rest = found if after is None else found[ids.index(after) + 1 :]
        data, more = rest[:limit], len(rest) > limit
    return {"object": "list", "data": [public(thing) for thing in data], "has_more": more, "url": url}


def listed(data: list[Thing], url: str) -> Thing:
    """A list inside an object, whole."""
    return {"object": "list", "data": data, "has_more": False, "url": url}


_KINDS = {
    "customer": "customer",
    "subscription": "subscription",
    "latest_invoice": "invoice",
    "invoice": "invoice",
    "default_payment_method": "payment_method",
    "product": "product",
    "default_price": "price",
    "configuration": "billing_portal.configuration",
}

Special = Callable[[World, Thing], Any]
SPECIAL: dict[tuple[str, str], Special] = {}
"""(kind, field) that is there only when it is expanded → what it then holds."""


def expand(world: World, answer: Thing, params: Params) -> Thing:
    """The answer with what `expand` names put in place of ids. Raises `Refusal` for what cannot be."""
    for path in list_of(params, "expand"):
        if not isinstance(path, str) or path.count(".") > 3:
            raise invalid("expand", f"This property cannot be expanded ({path}).")
        _expand(world, answer, path.split("."), path)
    return answer


def _expand(world: World, at: Any, parts: list[str], path: str) -> None:
    if isinstance(at, list):
        for one in at:
            _expand(world, one, parts, path)
        return
    if not parts or at is None:
        return
    name, rest = parts[0], parts[1:]
    special = SPECIAL.get((str(at.get("object")), name)) if isinstance(at, dict) else None
    if special is not None:
        at.setdefault(name, special(world, at))
    if not isinstance(at, dict) or name not in at:
        raise invalid("expand", f"This property cannot be expanded ({path}).")
    value = at[name]
    if isinstance(value, str):
        kind = _KINDS.get(name)
        found = None if kind is None else find(world, kind, value)
        if found is None:
            raise invalid("expand", f"This property cannot be expanded ({path}).")
        at[name] = public(found)
    elif not rest and special is None and value is not None and not isinstance(value, dict | list):
        raise invalid("expand", f"This property cannot be expanded ({path}).")
    _expand(world, at[name], rest, path)
