"""`history.list`: what changed in a mailbox since a number the client kept."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox.google import errors, gmail_store
from truesend_sandbox.google.api import Caller
from truesend_sandbox.google.gmail_read import page_size, page_start, page_token
from truesend_sandbox.store import Row

_FIELDS = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}


def _entry(row: Row) -> dict[str, Any]:
    message = {"id": row["message_id"], "threadId": row["thread_id"]}
    changed: dict[str, Any] = {"message": {**message, "labelIds": row["labels"].split()}}
    if row["changed"]:
        changed["labelIds"] = row["changed"].split()
    return {"id": str(row["id"]), "messages": [message], _FIELDS[row["kind"]]: [changed]}


def _too_old(caller: Caller, start: int) -> bool:
    """Whether changes after `start` have been forgotten, or `start` was never given out."""
    edge = caller.call.now - caller.call.switch("history_retention")
    forgotten = caller.world.store.value(
        "SELECT MAX(id) FROM gmail_history WHERE account_id = ? AND at < ?", caller.account.id, edge
    )
    latest = gmail_store.last_history_id(caller.world, caller.account.id)
    return (
        (forgotten is not None and start < forgotten)
        or start > latest
        or start < gmail_store.FIRST_HISTORY_ID
    )


def list_history(caller: Caller) -> web.StreamResponse:
    """`history.list`: what changed since a number; 404 when that is too long ago."""
    query = caller.call.request.query
    text = query.get("startHistoryId", "")
    if not text.isdecimal() or len(text) > 18:
        return errors.bad_request(
            "Missing required field: startHistoryId" if not text else "Invalid value at 'start_history_id'"
        )
    size, token = page_size(caller, 100), page_start(caller)
    if isinstance(size, web.Response):
        return size
    if isinstance(token, web.Response):
        return token
    kinds = query.getall("historyTypes", [])
    if any(kind not in _FIELDS for kind in kinds):
        return errors.bad_request("Invalid value at 'history_types'")
    if _too_old(caller, int(text)):
        return errors.not_found()
    edge = caller.call.now - caller.call.switch("history_delay")
    label, position = query.get("labelId"), int(text) if token is None else token
    found: list[Row] = []
    while len(found) <= size:
        rows = caller.world.store.all(
            "SELECT * FROM gmail_history WHERE account_id = ? AND id > ? AND at <= ? ORDER BY id LIMIT 200",
            caller.account.id,
            position,
            edge,
        )
        for row in rows:
            position = row["id"]
            if kinds and row["kind"] not in kinds:
                continue
            if label and label not in row["labels"].split() and label not in row["changed"].split():
                continue
            found.append(row)
        if len(rows) < 200:
            break
    body: dict[str, Any] = {}
    if found:
        body["history"] = [_entry(row) for row in found[:size]]
    if len(found) > size:
        body["nextPageToken"] = page_token(found[size - 1]["id"])
    # Changes not shown yet are not counted either, or a client that keeps this number would never see them.
    shown = caller.world.store.value(
        "SELECT MAX(id) FROM gmail_history WHERE account_id = ? AND at <= ?", caller.account.id, edge
    )
    body["historyId"] = str(max(shown or gmail_store.FIRST_HISTORY_ID, int(text)))
    return errors.json_answer(body)
