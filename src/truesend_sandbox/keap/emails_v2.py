"""`/v2/emails` [SPEC]: the history, and records of mails sent elsewhere."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.keap import contacts, history, lists
from truesend_sandbox.keap.errors import json_answer
from truesend_sandbox.keap.gateway import Caller, json_body
from truesend_sandbox.keap.times import seconds_of, v2_time
from truesend_sandbox.store import Row

TIMES = ("sent_time", "received_time", "opened_time", "clicked_time")
"""Moments of a record; kept as seconds."""
_TEXTS = ("subject", "headers", "sent_from_address", "sent_from_reply_address", "provider_source_id")
_LISTS = ("sent_to_cc_address_list", "sent_to_bcc_address_list")


def shown(row: Row) -> dict[str, Any]:
    """`EmailSent`: what is unknown is left out."""
    data = json.loads(row["data"])
    body: dict[str, Any] = {"id": str(row["id"])}
    if row["contact_id"] is not None:
        body["contact_id"] = str(row["contact_id"])
    body |= {name: data[name] for name in (*_TEXTS, *_LISTS) if data.get(name) is not None}
    body |= {name: v2_time(data[name]) for name in TIMES if data.get(name) is not None}
    return body | {
        "sent_to_address": row["to_address"],
        "original_provider": row["original_provider"],
        "original_provider_id": row["original_provider_id"],
    }


def listing(caller: Caller) -> web.StreamResponse:
    """`GET /v2/emails` with filters `contact_id, email, start_created_time, end_created_time`."""
    wanted = lists.filters(caller, ("contact_id", "email", "start_created_time", "end_created_time"))
    if isinstance(wanted, web.Response):
        return wanted
    page = lists.window_v2(caller)
    if isinstance(page, web.Response):
        return page
    order = lists.order(caller, ("created_time",))
    if isinstance(order, web.Response):
        return order
    try:
        since, until = (
            seconds_of(wanted[name]) if name in wanted else None
            for name in ("start_created_time", "end_created_time")
        )
    except ValueError:
        return caller.error(400, "Invalid filter: created_time", "filter")
    asked = history.Asked(wanted.get("contact_id"), wanted.get("email"), since, until)
    downwards = order is not None and order[1]
    rows = history.search(caller, asked, downwards=downwards, limit=page.size + 1, offset=page.start)
    return lists.page_v2(
        caller, "emails", [shown(row) for row in rows[: page.size]], page, more=len(rows) > page.size
    )


def get(caller: Caller) -> web.StreamResponse:
    """`GET /v2/emails/{id}` with its content."""
    row = history.get(caller, caller.call.request.match_info["id"])
    if row is None:
        return caller.error(404, "Email not found", "email")
    return json_answer({**shown(row), **history.contents(row)})


def delete(caller: Caller) -> web.StreamResponse:
    """`DELETE /v2/emails/{id}`, and v1's: 204."""
    row = history.get(caller, caller.call.request.match_info["id"])
    if row is None:
        return caller.error(404, "Email not found", "email")
    history.delete(caller, row)
    return web.Response(status=204)


def _people(name: str, value: object) -> list[str]:
    items = value or []
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError(f"{name} must be a list")
    return items


def _moment(name: str, value: object) -> float:
    try:
        return seconds_of(value)
    except ValueError:
        raise ValueError(f"{name} must be in ISO-8601 format") from None


def _text(name: str, value: object) -> str | None:
    try:
        return (
            None if value is None else base64.b64decode(str(value), validate=True).decode("utf-8", "replace")
        )
    except ValueError:
        raise ValueError(f"{name} must be Base64 encoded") from None


def checked(caller: Caller, body: dict[str, Any]) -> Row:
    """Record a mail by its v2 fields. Raises `ValueError` with Keap-like words."""
    try:
        email = normal_address(body.get("sent_to_address"))
    except ValueError:
        raise ValueError("sent_to_address is required") from None
    data: dict[str, Any] = {name: body[name] for name in _TEXTS if isinstance(body.get(name), str)}
    data |= {name: _people(name, body[name]) for name in _LISTS if body.get(name)}
    data |= {name: _moment(name, body[name]) for name in TIMES if body.get(name) is not None}
    origin = str(body.get("original_provider") or "UNKNOWN").upper()
    if origin not in history.ORIGINS:
        raise ValueError(f"Invalid original_provider: {origin}")
    number = body.get("original_provider_id")
    if not isinstance(number, str | None):
        raise ValueError("original_provider_id must be a string")
    contact = None
    if body.get("contact_id") is not None:
        row = contacts.get(caller.world, caller.tenant, str(body["contact_id"]))
        if row is None:
            raise ValueError(f"Contact {body['contact_id']} not found")
        contact = row["id"]
    texts = _text("html_content", body.get("html_content")), _text("plain_content", body.get("plain_content"))
    return history.record(caller, data, (origin, number), contact, email, texts)


def create(caller: Caller) -> web.StreamResponse:
    """`POST /v2/emails`: a record, 201. It sends nothing."""
    body = json_body(caller)
    if isinstance(body, web.Response):
        return body
    try:
        row = checked(caller, body)
    except history.Taken as error:
        return caller.error(
            409 if caller.call.switch("taken_record") == "conflict" else 400, str(error), "email"
        )
    except ValueError as error:
        return caller.error(400, str(error), "email")
    return json_answer({**shown(row), **history.contents(row)}, 201)
