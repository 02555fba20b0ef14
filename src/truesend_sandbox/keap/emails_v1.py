"""`/v1/emails` and `/v1/contacts/{id}/emails` [SPEC]: the history, and records of mails sent elsewhere."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from truesend_sandbox.keap import contacts, emails_v2, history, lists
from truesend_sandbox.keap.errors import json_answer
from truesend_sandbox.keap.gateway import Caller, json_body
from truesend_sandbox.keap.times import seconds_of, v1_time
from truesend_sandbox.store import Row

_DATES = {name.replace("_time", "_date"): name for name in emails_v2.TIMES}
_ADDRESSES = {
    "sent_to_cc_addresses": "sent_to_cc_address_list",
    "sent_to_bcc_addresses": "sent_to_bcc_address_list",
}
_TEXTS = ("subject", "headers", "sent_from_address", "sent_from_reply_address")


def shown(row: Row) -> dict[str, Any]:
    """`EmailSentQueryResult`."""
    data = json.loads(row["data"])
    body: dict[str, Any] = {"id": row["id"]}
    if row["contact_id"] is not None:
        body["contact_id"] = row["contact_id"]
    body |= {name: data[name] for name in _TEXTS if data.get(name) is not None}
    body |= {name: v1_time(data[key]) for name, key in _DATES.items() if data.get(key) is not None}
    body |= {name: ",".join(data.get(key) or []) for name, key in _ADDRESSES.items()}
    return body | {
        "sent_to_address": row["to_address"],
        "original_provider": row["original_provider"],
        "original_provider_id": row["original_provider_id"],
    }


def _listing(caller: Caller, contact: str | None) -> web.StreamResponse:
    query, window = caller.call.request.query, lists.window_v1(caller)
    if isinstance(window, web.Response):
        return window
    if "until_sent_date" in query and "since_sent_date" not in query:
        return caller.error(400, "since_sent_date must be present if until_sent_date is provided")
    try:
        since, until = (
            seconds_of(query[name]) if name in query else None
            for name in ("since_sent_date", "until_sent_date")
        )
    except ValueError:
        return caller.error(400, "Invalid date")
    asked = history.Asked(contact, query.get("email"), since, until, by_sent_time=True)
    rows = history.search(caller, asked, limit=window.size, offset=window.start)
    items = [shown(row) for row in rows]
    return lists.page_v1(caller, "emails", items, history.count(caller, asked), window)


def listing(caller: Caller) -> web.StreamResponse:
    """`GET /v1/emails?contact_id=&email=&since_sent_date=&until_sent_date=&limit=&offset=`."""
    return _listing(caller, caller.call.request.query.get("contact_id"))


def of_contact(caller: Caller) -> web.StreamResponse:
    """`GET /v1/contacts/{id}/emails`."""
    number = caller.call.request.match_info["id"]
    if contacts.get(caller.world, caller.tenant, number) is None:
        return caller.error(404, "Contact not found")
    return _listing(caller, number)


def get(caller: Caller) -> web.StreamResponse:
    """`GET /v1/emails/{id}` with its content."""
    row = history.get(caller, caller.call.request.match_info["id"])
    if row is None:
        return caller.error(404, "Email not found")
    return json_answer({**shown(row), **history.contents(row)})


def create(caller: Caller) -> web.StreamResponse:
    """`POST /v1/emails` and `/v1/contacts/{id}/emails`: a record, 201. It sends nothing."""
    body = json_body(caller)
    if isinstance(body, web.Response):
        return body
    renamed = {_DATES.get(name, name): value for name, value in body.items()}
    for name, key in _ADDRESSES.items():
        if isinstance(body.get(name), str):
            renamed[key] = [part.strip() for part in body[name].split(",") if part.strip()]
    if "id" in caller.call.request.match_info:
        renamed["contact_id"] = caller.call.request.match_info["id"]
    try:
        row = emails_v2.checked(caller, renamed)
    except ValueError as error:
        return caller.error(400, str(error))
    return json_answer({**shown(row), **history.contents(row)}, 201)
