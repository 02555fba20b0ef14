"""`/v2/contacts` [SPEC]."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.keap import addresses, contact_fields, contacts, lists
from truesend_sandbox.keap.contact_fields import Data
from truesend_sandbox.keap.errors import json_answer
from truesend_sandbox.keap.gateway import Caller, json_body
from truesend_sandbox.keap.times import seconds_of, v2_time
from truesend_sandbox.store import Row

_FILTERS = (
    "email",
    "given_name",
    "family_name",
    "middle_name",
    "company_id",
    "contact_ids",
    "ids",
    "start_update_time",
    "end_update_time",
    "phone_number",
    "phone_fields",
)


def creating(call: Call) -> str:
    """`contacts.upsert` when duplicates are looked for, else `contacts.create`."""
    return "contacts.upsert" if call.request.query.get("duplicate_option") else "contacts.create"


def shown(caller: Caller, row: Row) -> dict[str, Any]:
    """`Contact`, all its fields or those of `fields`; the id always."""
    data = contacts.data_of(row)
    body: dict[str, Any] = {"id": str(row["id"]), **data}
    body["email_addresses"] = [_email(caller, item) for item in data.get("email_addresses", [])]
    body.pop("origin", None)
    body |= {"create_time": v2_time(row["created_at"]), "update_time": v2_time(row["updated_at"])}
    wanted = lists.several(",".join(caller.call.request.query.getall("fields", [])) or None)
    return body if wanted is None else {name: body[name] for name in body if name in wanted or name == "id"}


def _email(caller: Caller, item: Data) -> dict[str, Any]:
    row = addresses.find(caller.world, caller.tenant, item["email"])
    status = "NON_MARKETABLE" if row is None else row["status"]
    return {**item, "is_opt_in": addresses.opted_in(caller.world, status), "email_opt_status": status}


def get(caller: Caller) -> web.StreamResponse:
    """`GET /v2/contacts/{id}`."""
    row = contacts.get(caller.world, caller.tenant, caller.call.request.match_info["id"])
    return (
        caller.error(404, "Contact not found", "contact") if row is None else json_answer(shown(caller, row))
    )


def _fits(wanted: dict[str, str], row: Row, since: float, until: float) -> bool:
    data = contacts.data_of(row)
    emails = [item["email"] for item in data.get("email_addresses", [])]
    ids = lists.several(wanted.get("ids") or wanted.get("contact_ids"))
    phones = lists.several(wanted.get("phone_fields")) or set()
    return (
        ("email" not in wanted or any(lists.matches(wanted["email"], email) for email in emails))
        and all(
            lists.matches(wanted.get(name), data.get(name) or "")
            for name in ("given_name", "family_name", "middle_name")
        )
        and ("company_id" not in wanted or (data.get("company") or {}).get("id") == wanted["company_id"])
        and (ids is None or str(row["id"]) in ids)
        and since <= row["updated_at"] <= until
        and (
            "phone_number" not in wanted
            or any(
                item.get("number") == wanted["phone_number"] and item.get("field") in phones
                for item in data.get("phone_numbers", [])
            )
        )
    )


_ORDER = ("id", "create_time", "email", "update_time")


def listing(caller: Caller) -> web.StreamResponse:
    """`GET /v2/contacts?filter=…`; without a filter everybody."""
    wanted = lists.filters(caller, _FILTERS)
    if isinstance(wanted, web.Response):
        return wanted
    page = lists.window_v2(caller)
    if isinstance(page, web.Response):
        return page
    order = lists.order(caller, _ORDER)
    if isinstance(order, web.Response):
        return order
    if "phone_number" in wanted and "phone_fields" not in wanted:
        return caller.error(400, "phone_fields is required with phone_number", "filter")
    try:
        since = seconds_of(wanted["start_update_time"]) if "start_update_time" in wanted else 0.0
        until = seconds_of(wanted["end_update_time"]) if "end_update_time" in wanted else 1e12
    except ValueError:
        return caller.error(400, "Invalid filter: update_time", "filter")
    email = wanted.get("email", "")
    narrow = bool(email) and not email.endswith("*")
    rows = (
        contacts.by_email(caller.world, caller.tenant, email)
        if narrow
        else contacts.everyone(caller.world, caller.tenant)
    )
    found = [row for row in rows if _fits(wanted, row, since, until)]
    if order is not None:
        found.sort(key=lambda row: (_sorted_by(row, order[0]), row["id"]), reverse=order[1])
    items = [shown(caller, row) for row in found[page.start : page.end]]
    return lists.page_v2(caller, "contacts", items, page, more=len(found) > page.end)


def _sorted_by(row: Row, name: str) -> Any:
    if name == "email":
        emails = contacts.data_of(row).get("email_addresses", [])
        return emails[0]["email"] if emails else ""
    return row[{"id": "id", "create_time": "created_at", "update_time": "updated_at"}[name]]


def _fields(caller: Caller) -> Data | web.Response:
    body = json_body(caller)
    if isinstance(body, web.Response):
        return body
    try:
        return contact_fields.checked(body)
    except ValueError as error:
        return caller.error(400, str(error), "contact")


def create(caller: Caller) -> web.StreamResponse:
    """`POST /v2/contacts?duplicate_option=…`: 200 updated, 201 created; without the option always new."""
    option = caller.call.request.query.get("duplicate_option")
    if option is not None and option not in contacts.DUPLICATES:
        return caller.error(400, f"Invalid duplicate_option: {option}", "duplicate_option")
    data = _fields(caller)
    if isinstance(data, web.Response):
        return data
    if not contact_fields.reachable(data):
        return caller.error(
            400,
            "Contact must contain at least one of email_addresses, phone_numbers, or addresses",
            "contact",
        )
    found = None if option is None else contacts.duplicate(caller.world, caller.tenant, data, option)
    if found is not None:
        return json_answer(shown(caller, contacts.update(caller.world, found, data)))
    return json_answer(shown(caller, contacts.create(caller.world, caller.tenant, data)), 201)


def update(caller: Caller) -> web.StreamResponse:
    """`PATCH /v2/contacts/{id}?update_mask=a&update_mask=b`."""
    row = contacts.get(caller.world, caller.tenant, caller.call.request.match_info["id"])
    if row is None:
        return caller.error(404, "Contact not found", "contact")
    mask = caller.call.request.query.getall("update_mask", [])
    strange = [name for name in mask if name not in contact_fields.MASK]
    if strange:
        return caller.error(400, f"Invalid update_mask: {', '.join(strange)}", "update_mask")
    data = _fields(caller)
    if isinstance(data, web.Response):
        return data
    if mask:
        data = {name: value for name, value in data.items() if name in mask}
    return json_answer(shown(caller, contacts.update(caller.world, row, data)))


def delete(caller: Caller) -> web.StreamResponse:
    """`DELETE /v2/contacts/{id}`, and v1's: 204."""
    row = contacts.get(caller.world, caller.tenant, caller.call.request.match_info["id"])
    if row is None:
        return caller.error(404, "Contact not found", "contact")
    contacts.delete(caller.world, row)
    return web.Response(status=204)
