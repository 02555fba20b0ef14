"""Status of addresses in both APIs [SPEC]: `/v2/emailAddresses/{email}/status`, the list, `PUT /v1/emailAddresses`."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.keap import addresses, lists
from truesend_sandbox.keap.errors import json_answer
from truesend_sandbox.keap.gateway import Caller, json_body
from truesend_sandbox.keap.times import v2_time
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

_TIMES = {
    "last_sent_time": "last_sent_at",
    "last_open_time": "last_open_at",
    "last_click_time": "last_click_at",
}


def shown(world: World, row: Row) -> dict[str, Any]:
    """`RestEmailAddressStatus` of v2."""
    body: dict[str, Any] = {
        "email": row["email"],
        "opted_in": addresses.opted_in(world, row["status"]),
        "status": row["status"],
        "create_time": v2_time(row["created_at"]),
    }
    return body | {name: v2_time(row[column]) for name, column in _TIMES.items() if row[column] is not None}


def _address(caller: Caller) -> str | web.Response:
    try:
        return normal_address(caller.call.request.match_info["email"])
    except ValueError:
        return caller.error(400, "Invalid email address", "email")


def _known(caller: Caller, email: str) -> Row | web.Response:
    row = addresses.find(caller.world, caller.tenant, email)
    if row is not None:
        return row
    if caller.call.switch("unknown_address") == "non_marketable":
        return addresses.put(caller.world, caller.tenant, email, "NON_MARKETABLE")
    return caller.error(404, "Email address not found", "emailAddress")


def status(caller: Caller) -> web.StreamResponse:
    """`GET /v2/emailAddresses/{email}/status`."""
    email = _address(caller)
    row = email if isinstance(email, web.Response) else _known(caller, email)
    return row if isinstance(row, web.Response) else json_answer(shown(caller.world, row))


def _change(caller: Caller) -> Row | web.Response:
    email, body = _address(caller), json_body(caller)
    if isinstance(email, web.Response):
        return email
    if isinstance(body, web.Response):
        return body
    if not isinstance(body.get("opted_in"), bool):
        return caller.error(400, "opted_in is required", "opted_in")
    if not isinstance(body.get("reason"), str) or not body["reason"].strip():
        return caller.error(400, "reason is required", "reason")
    row = _known(caller, email)
    if isinstance(row, web.Response):
        return row
    wanted, reason = body["opted_in"], body["reason"]
    changed = addresses.opt(caller.world, caller.tenant, row["email"], wanted=wanted, reason=reason)
    in_vain = wanted and not addresses.opted_in(caller.world, changed["status"])
    if in_vain and caller.call.switch("vain_opt_in") == "refuse":
        return caller.error(400, "The email address cannot be opted in", "opted_in")
    return changed


def change(caller: Caller) -> web.StreamResponse:
    """`PATCH /v2/emailAddresses/{email}/status {opted_in, reason}`: 200 also where the status stays."""
    row = _change(caller)
    return row if isinstance(row, web.Response) else json_answer(shown(caller.world, row))


def change_v1(caller: Caller) -> web.StreamResponse:
    """`PUT /v1/emailAddresses/{email}`."""
    row = _change(caller)
    if isinstance(row, web.Response):
        return row
    return json_answer(
        {
            "email": row["email"],
            "opted_in": addresses.opted_in(caller.world, row["status"]),
            "status": addresses.STATUSES[row["status"]][1],
        }
    )


_ORDER = {"email": "email", "status": "status", "create_time": "created_at", **_TIMES}


def listing(caller: Caller) -> web.StreamResponse:
    """`GET /v2/emailAddresses` with filters `emails, statuses, opted_in`."""
    wanted = lists.filters(caller, ("emails", "statuses", "opted_in"))
    if isinstance(wanted, web.Response):
        return wanted
    page = lists.window_v2(caller)
    if isinstance(page, web.Response):
        return page
    order = lists.order(caller, tuple(_ORDER))
    if isinstance(order, web.Response):
        return order
    emails, statuses = lists.several(wanted.get("emails")), lists.several(wanted.get("statuses"))
    if statuses is not None and not statuses <= addresses.STATUSES.keys():
        return caller.error(400, "Invalid filter: statuses", "filter")
    if wanted.get("opted_in") not in (None, "true", "false"):
        return caller.error(400, "Invalid filter: opted_in", "filter")
    rows = [
        row
        for row in caller.world.store.all(
            "SELECT * FROM keap_addresses WHERE tenant = ? ORDER BY email", caller.tenant
        )
        if (emails is None or row["email"] in {email.lower() for email in emails})
        and (statuses is None or row["status"] in statuses)
        and (
            "opted_in" not in wanted
            or addresses.opted_in(caller.world, row["status"]) == (wanted["opted_in"] == "true")
        )
    ]
    if order is not None:
        column = _ORDER[order[0]]
        rows.sort(key=lambda row: (row[column] is not None, row[column] or 0), reverse=order[1])
    items = [shown(caller.world, row) for row in rows[page.start : page.end]]
    return lists.page_v2(caller, "email_addresses", items, page, more=len(rows) > page.end)
