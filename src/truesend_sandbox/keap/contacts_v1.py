"""`/v1/contacts` [SPEC]: numbers for ids, one opt-in reason for a contact, the status of its first address."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox.keap import addresses, contact_fields, contacts, lists
from truesend_sandbox.keap.contact_fields import Data
from truesend_sandbox.keap.errors import json_answer
from truesend_sandbox.keap.gateway import Caller, json_body
from truesend_sandbox.keap.times import seconds_of, v1_time
from truesend_sandbox.store import Row

_ONLY_WHEN_ASKED = ("lead_source_id", "custom_fields", "job_title")
"""Left out of an answer unless `optional_properties` names them [SPEC]."""
_DUPLICATES = ("Email", "EmailAndName")


def shown(caller: Caller, row: Row) -> dict[str, Any]:
    """A contact as v1 writes it."""
    data = contacts.data_of(row)
    first = next(iter(data.get("email_addresses", [])), None)
    known = None if first is None else addresses.find(caller.world, caller.tenant, first["email"])
    status = "NON_MARKETABLE" if known is None else known["status"]
    body = {
        "id": row["id"],
        **contact_fields.to_v1(data),
        "email_opted_in": first is not None and addresses.opted_in(caller.world, status),
        "email_status": addresses.STATUSES[status][0],
        "date_created": v1_time(row["created_at"]),
        "last_updated": v1_time(row["updated_at"]),
    }
    asked = lists.several(",".join(caller.call.request.query.getall("optional_properties", []))) or set()
    return {name: value for name, value in body.items() if name not in _ONLY_WHEN_ASKED or name in asked}


def get(caller: Caller) -> web.StreamResponse:
    """`GET /v1/contacts/{id}`."""
    row = contacts.get(caller.world, caller.tenant, caller.call.request.match_info["id"])
    return caller.error(404, "Contact not found") if row is None else json_answer(shown(caller, row))


_ORDER = {
    "id": "id",
    "date_created": "created_at",
    "last_updated": "updated_at",
    "name": "family_name",
    "firstName": "given_name",
    "email": "email",
}


def _key(row: Row, column: str) -> Any:
    if column in ("id", "created_at", "updated_at"):
        return row[column]
    data = contacts.data_of(row)
    if column == "email":
        emails = data.get("email_addresses", [])
        return emails[0]["email"] if emails else ""
    return (data.get(column) or "").lower()


def listing(caller: Caller) -> web.StreamResponse:
    """`GET /v1/contacts?email=&given_name=&family_name=&since=&until=&order=&limit=&offset=`."""
    query, window = caller.call.request.query, lists.window_v1(caller)
    if isinstance(window, web.Response):
        return window
    order, direction = query.get("order", "id"), query.get("order_direction", "ASCENDING").upper()
    if order not in _ORDER or direction not in ("ASCENDING", "DESCENDING"):
        return caller.error(400, "Invalid order")
    try:
        since = seconds_of(query["since"]) if "since" in query else 0.0
        until = seconds_of(query["until"]) if "until" in query else 1e12
    except ValueError:
        return caller.error(400, "Invalid date")
    email = query.get("email")
    rows = (
        contacts.everyone(caller.world, caller.tenant)
        if email is None
        else contacts.by_email(caller.world, caller.tenant, email)
    )
    found = [row for row in rows if since <= row["updated_at"] <= until and _named(caller, row)]
    found.sort(key=lambda row: (_key(row, _ORDER[order]), row["id"]), reverse=direction == "DESCENDING")
    items = [shown(caller, row) for row in found[window.start : window.end]]
    return lists.page_v1(caller, "contacts", items, len(found), window)


def _named(caller: Caller, row: Row) -> bool:
    data, query = contacts.data_of(row), caller.call.request.query
    return all(lists.matches(query.get(name), data.get(name) or "") for name in ("given_name", "family_name"))


def _fields(caller: Caller) -> tuple[Data, object] | web.Response:
    """The fields in v2's spelling, and the `duplicate_option`."""
    body = json_body(caller)
    if isinstance(body, web.Response):
        return body
    try:
        return contact_fields.checked(contact_fields.from_v1(body)), body.get("duplicate_option")
    except ValueError as error:
        return caller.error(400, str(error))


def _new(caller: Caller, data: Data) -> Row | web.Response:
    if not data.get("email_addresses") and not data.get("phone_numbers"):
        return caller.error(400, "Contact must contain at least one of email_addresses or phone_numbers")
    return contacts.create(caller.world, caller.tenant, data)


def create(caller: Caller) -> web.StreamResponse:
    """`POST /v1/contacts`: always a new one, 201."""
    given = _fields(caller)
    row = given if isinstance(given, web.Response) else _new(caller, given[0])
    return row if isinstance(row, web.Response) else json_answer(shown(caller, row), 201)


def upsert(caller: Caller) -> web.StreamResponse:
    """`PUT /v1/contacts` with `duplicate_option` in the body: 200 for both [SPEC]."""
    given = _fields(caller)
    if isinstance(given, web.Response):
        return given
    data, option = given
    if option is not None and option not in _DUPLICATES:
        return caller.error(400, f"Invalid duplicate_option: {option}")
    found = None
    if option is not None:
        found = contacts.duplicate(caller.world, caller.tenant, data, str(option))
    row = _new(caller, data) if found is None else contacts.update(caller.world, found, _merged(found, data))
    return row if isinstance(row, web.Response) else json_answer(shown(caller, row))


def _merged(row: Row, data: Data) -> Data:
    """v1 changes only what is given, inside the lists too: an item takes the place of the one of its field."""
    known, merged = contacts.data_of(row), dict(data)
    for name in ("email_addresses", "phone_numbers", "fax_numbers", "addresses"):
        if name in data:
            items = {item.get("field"): item for item in known.get(name, [])}
            items |= {item.get("field"): item for item in data[name]}
            merged[name] = list(items.values())
    return merged


def update(caller: Caller) -> web.StreamResponse:
    """`PATCH /v1/contacts/{id}`."""
    row = contacts.get(caller.world, caller.tenant, caller.call.request.match_info["id"])
    if row is None:
        return caller.error(404, "Contact not found")
    given = _fields(caller)
    if isinstance(given, web.Response):
        return given
    mask = contact_fields.v1_mask(caller.call.request.query.getall("update_mask", []))
    data = {name: value for name, value in given[0].items() if not mask or name in mask}
    return json_answer(shown(caller, contacts.update(caller.world, row, _merged(row, data))))
