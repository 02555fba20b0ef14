"""Gmail's drafts: create, replace, send, list, delete. Rules: google.md §2."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

from truesend_sandbox.google import api, errors, gmail_parts, gmail_read, gmail_send, gmail_store
from truesend_sandbox.google.api import Caller
from truesend_sandbox.mailbox.headers import Mail, NotMail
from truesend_sandbox.store import Row


def _find(caller: Caller, draft_id: str) -> Row | None:
    return caller.world.store.one(
        "SELECT * FROM gmail_drafts WHERE account_id = ? AND id = ?", caller.account.id, draft_id
    )


def _message_of(body: dict[str, Any]) -> dict[str, Any]:
    message = body.get("message")
    return message if isinstance(message, dict) else {}


def _given(caller: Caller) -> tuple[dict[str, Any], bytes | None] | web.Response:
    body = api.json_body(caller.call)
    if isinstance(body, web.Response):
        return body
    value = _message_of(body).get("raw")
    raw = gmail_send.raw_of(value)
    if value is not None and raw is None:
        return errors.bad_request("Invalid value at 'draft.message.raw' (TYPE_BYTES), Base64 decoding failed")
    return body, raw


def create(caller: Caller) -> web.StreamResponse:
    """`drafts.create`."""
    given = _given(caller)
    if isinstance(given, web.Response):
        return given
    return save(caller, *given)


update = create
"""The same body; which draft stands in the address."""


def save(caller: Caller, resource: dict[str, Any], raw: bytes | None) -> web.StreamResponse:
    """Create or replace: the draft's id stays, its message gets a new one."""
    world, account = caller.world, caller.account
    draft_id = caller.call.request.match_info.get("id")
    if raw is None:
        return errors.bad_request("Missing draft message")
    try:
        mail = Mail.parse(raw)
    except NotMail:
        return errors.bad_request("Missing draft message")
    thread = _message_of(resource).get("threadId")
    if draft_id is None:
        draft_id = f"r-{secrets.randbits(62)}"
        world.store.run(
            "INSERT INTO gmail_drafts (id, account_id, message_id, at) VALUES (?, ?, '', ?)",
            draft_id,
            account.id,
            world.clock.now(),
        )
    else:
        draft = _find(caller, draft_id)
        if draft is None:
            return errors.not_found()
        if draft["sent"]:
            return errors.bad_request("Message not a draft")
        old = gmail_store.get(world, account.id, draft["message_id"])
        if old is not None:
            thread = thread or (old["thread_id"] if old["thread_id"] != old["id"] else None)
            gmail_store.remove(world, old)
    row = gmail_store.add(world, account.id, mail, ("DRAFT",), thread if isinstance(thread, str) else None)
    world.store.run(
        "UPDATE gmail_drafts SET message_id = ? WHERE account_id = ? AND id = ?",
        row["id"],
        account.id,
        draft_id,
    )
    return errors.json_answer({"id": draft_id, "message": gmail_send.brief(row)})


def _live(caller: Caller, draft_id: object) -> tuple[Row, Row] | None:
    """A draft that is still one, and its message."""
    draft = _find(caller, draft_id) if isinstance(draft_id, str) else None
    if draft is None or draft["sent"]:
        return None
    message = gmail_store.get(caller.world, caller.account.id, draft["message_id"])
    return None if message is None else (draft, message)


def get(caller: Caller) -> web.StreamResponse:
    """`drafts.get`."""
    shape = caller.call.request.query.get("format", "full").lower()
    found = _live(caller, caller.call.request.match_info["id"])
    if found is None:
        return errors.not_found()
    draft, message = found
    return errors.json_answer({"id": draft["id"], "message": gmail_parts.resource(message, shape)})


def delete(caller: Caller) -> web.StreamResponse:
    """`drafts.delete`: draft and message are gone, not in the bin."""
    found = _live(caller, caller.call.request.match_info["id"])
    if found is None:
        return errors.not_found()
    draft, message = found
    gmail_store.remove(caller.world, message)
    caller.world.store.run(
        "DELETE FROM gmail_drafts WHERE account_id = ? AND id = ?", caller.account.id, draft["id"]
    )
    return web.Response(status=204)


def list_drafts(caller: Caller) -> web.StreamResponse:
    """`drafts.list`."""
    text = caller.call.request.query.get("q", "").strip()
    found = gmail_read.listing(caller, ["DRAFT"], text, spam=False)
    if isinstance(found, web.Response):
        return found
    rows, following = found
    names = {
        row["message_id"]: row["id"]
        for row in caller.world.store.all(
            "SELECT id, message_id FROM gmail_drafts WHERE account_id = ? AND sent = 0", caller.account.id
        )
    }
    listed = [
        {"id": names[row["id"]], "message": {"id": row["id"], "threadId": row["thread_id"]}}
        for row in rows
        if row["id"] in names
    ]
    body: dict[str, Any] = {"drafts": listed} if listed else {}
    if following is not None:
        body["nextPageToken"] = gmail_read.page_token(following)
    body["resultSizeEstimate"] = len(listed)
    return errors.json_answer(body)


def send(caller: Caller) -> web.StreamResponse:
    """`{"id", "message"?: {"raw"}}`."""
    given = _given(caller)
    if isinstance(given, web.Response):
        return given
    return send_with(caller, *given)


def send_with(caller: Caller, resource: dict[str, Any], raw: bytes | None) -> web.StreamResponse:
    """Send a draft; one that is sent or unknown is not found, so that it never sends twice."""
    found = _live(caller, resource.get("id"))
    if found is None:
        return errors.not_found()
    draft, message = found
    thread = message["thread_id"] if message["thread_id"] != message["id"] else None
    checked = gmail_send.check(caller, bytes(message["raw"]) if raw is None else raw, thread)
    if isinstance(checked, web.Response):
        return checked
    world = caller.world
    world.store.run(
        "UPDATE gmail_drafts SET sent = 1 WHERE account_id = ? AND id = ?", caller.account.id, draft["id"]
    )
    if caller.call.switch("draft_send") == "same_message":
        return errors.json_answer(gmail_send.brief(gmail_send.send_in_place(caller, checked, message)))
    gmail_store.remove(world, message)
    return errors.json_answer(gmail_send.brief(gmail_send.hand_over(caller, checked, thread)))
