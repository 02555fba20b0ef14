"""`messages/delta` of a folder: everything first, then what changed since a token (message-delta page).

Pages end with a `@odata.nextLink` that holds a `$skiptoken`, the last one with a `@odata.deltaLink` and its
`$deltatoken`; both carry the query they came of. A token that is too old, or of nobody, is answered with 410.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from truesend_sandbox.microsoft import errors, mail_read, mail_store, query
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.message_view import View, resource
from truesend_sandbox.microsoft.query import BadQuery
from truesend_sandbox.store import Row

_USUAL = 10
_KNOWN = frozenset(
    {"$filter", "$orderby", "$select", "$expand", "$top", "changeType", "$skiptoken", "$deltatoken"}
)
_FILTER = re.compile(r"\s*receivedDateTime\s+(?:ge|gt)\s+\S+\s*\Z")
_PAGE = re.compile(r"odata\.maxpagesize=(\d{1,4})", re.IGNORECASE)
_CHANGES = ("created", "updated", "deleted")
Token = dict[str, Any]
"""Folder, watermark of changes, place (of a listing: `seq`; of changes: their number), whether it lists, its time."""


def messages(caller: Caller) -> web.StreamResponse:
    """`GET /me/mailFolders/{folder}/messages/delta`."""
    call = caller.call
    folder = mail_store.folder_named(caller.account.id, call.request.match_info["folder"])
    if folder is None:
        return errors.item_not_found(call)
    view = mail_read.view_of(caller)
    if isinstance(view, web.Response):
        return view
    try:
        _check(caller)
        token = _token(caller, folder)
    except BadQuery as refused:
        return errors.bad_request(call, str(refused), refused.code)
    if token is None:
        return errors.graph_error(
            call, 410, "SyncStateNotFound", "The sync state generation is not found; generation has expired."
        )
    size = _size(caller)
    rows, following = _listed(caller, token, size) if token["lists"] else _changed(caller, token, size)
    path = f"mailFolders('{call.request.match_info['folder']}')/messages"
    body: dict[str, Any] = {
        "@odata.context": mail_read.context(caller, mail_read.chosen(view, path)) + "/$delta",
        "value": [_shown(row, view, headers=call.switch("delta_headers")) for row in rows],
    }
    if following is None:
        done = {
            "folder": folder,
            "mark": token["mark"],
            "place": token["mark"],
            "lists": False,
            "at": call.now,
        }
        body["@odata.deltaLink"] = _link(caller, "$deltatoken", done)
    else:
        body["@odata.nextLink"] = _link(caller, "$skiptoken", {**token, "place": following})
    return errors.graph_answer(call, body, headers=mail_read.applied(caller))


def _check(caller: Caller) -> None:
    """Raises `BadQuery` for what delta does not serve."""
    asked = caller.call.request.query
    strange = [name for name in asked if name not in _KNOWN]
    if strange:
        raise BadQuery("BadRequest", f"The query parameter '{strange[0]}' is not supported.")
    if asked.get("$filter") and not _FILTER.match(asked["$filter"]):
        raise BadQuery("ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
    if asked.get("$orderby", "receivedDateTime desc") != "receivedDateTime desc":
        raise BadQuery("ErrorInvalidUrlQuery", "Only receivedDateTime desc is supported in $orderby.")
    if asked.get("changeType", "created") not in _CHANGES:
        raise BadQuery("BadRequest", "Invalid value for changeType.")


def _size(caller: Caller) -> int:
    found = _PAGE.search(" ".join(caller.call.request.headers.getall("Prefer", [])))
    return max(1, min(int(found[1]), 1000)) if found else _USUAL


def _token(caller: Caller, folder: str) -> Token | None:
    """Where the request goes on, or a beginning; None for one that is no longer known. Raises `BadQuery`."""
    asked, call = caller.call.request.query, caller.call
    text = asked.get("$skiptoken") or asked.get("$deltatoken")
    if text is None:
        return {"folder": folder, "mark": _edge(caller, 0), "place": 0, "lists": True, "at": call.now}
    try:
        found: Token = json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
    except (ValueError, binascii.Error):
        raise BadQuery("ErrorInvalidUrlQuery", "The sync token is invalid.") from None
    is_ours = found.get("folder") == folder and found.get("account") == caller.account.id
    if not is_ours or found["at"] + call.switch("delta_token_lifetime") < call.now:
        return None
    if "$deltatoken" in asked and not found["lists"]:
        # Up to here this round goes; what changes meanwhile is the next one's.
        found["mark"] = _edge(caller, found["place"])
    return found


def _edge(caller: Caller, place: int) -> int:
    """The newest change that is shown already, and every one before it."""
    late = caller.world.store.value(
        "SELECT MIN(c.id) FROM microsoft_changes c JOIN microsoft_messages m ON m.seq = c.seq"
        " WHERE c.account_id = ? AND c.id > ? AND m.listed_at > ?",
        caller.account.id,
        place,
        caller.call.now,
    )
    newest = caller.world.store.value(
        "SELECT COALESCE(MAX(id), ?) FROM microsoft_changes WHERE account_id = ?", place, caller.account.id
    )
    return int(newest if late is None else late - 1)


def _listed(caller: Caller, token: Token, size: int) -> tuple[list[Row], int | None]:
    """A page of everything in the folder, by when it came into the mailbox."""
    asked = caller.call.request.query
    where = query.condition(asked["$filter"], lambda _: None) if asked.get("$filter") else None
    rows = caller.world.store.all(
        "SELECT m.*, NULL AS gone FROM microsoft_messages m WHERE m.account_id = ? AND m.folder = ?"  # noqa: S608  # own words
        f" AND m.seq > ? AND m.listed_at <= ?{f' AND {where.sql}' if where else ''} ORDER BY m.seq LIMIT ?",
        caller.account.id,
        token["folder"],
        token["place"],
        caller.call.now,
        *(where.values if where else ()),
        size + 1,
    )
    return rows[:size], rows[size - 1]["seq"] if len(rows) > size else None


def _changed(caller: Caller, token: Token, size: int) -> tuple[list[Row], int | None]:
    """A page of what changed in the folder since the token, the newest change of each message."""
    kind = caller.call.request.query.get("changeType")
    wanted = {"created": ("created",), "updated": ("created", "updated"), "deleted": ("removed",)}.get(
        kind or "", ("created", "updated", "removed")
    )
    changes = caller.world.store.all(
        "SELECT seq, MAX(id) AS id FROM microsoft_changes WHERE account_id = ? AND folder = ? AND id > ? AND id <= ?"  # noqa: S608  # own words
        f" AND kind IN ({','.join('?' * len(wanted))}) GROUP BY seq ORDER BY MAX(id) LIMIT ?",
        caller.account.id,
        token["folder"],
        token["place"],
        token["mark"],
        *wanted,
        size + 1,
    )
    rows = []
    for change in changes[:size]:
        row = caller.world.store.one(
            "SELECT m.*, CASE WHEN m.folder = c.folder THEN NULL ELSE c.item END AS gone, c.immutable AS lasting"
            " FROM microsoft_changes c LEFT JOIN microsoft_messages m ON m.seq = c.seq AND m.folder = c.folder"
            " WHERE c.id = ?",
            change["id"],
        )
        rows.append(row if row is not None and row["seq"] is not None else _gone(caller, change["id"]))
    return rows, changes[size - 1]["id"] if len(changes) > size else None


def _gone(caller: Caller, change: int) -> Row:
    """A message that is no longer in the folder, by the ids it had there."""
    row = caller.world.store.one(
        "SELECT item AS gone, immutable AS lasting FROM microsoft_changes WHERE id = ?", change
    )
    assert row is not None
    return row


def _shown(row: Row, view: View, *, headers: bool) -> dict[str, Any]:
    if row["gone"] is not None:
        number = row["lasting"] if view.immutable else row["gone"]
        return {"@removed": {"reason": "deleted"}, "id": number}
    shown = resource(row, view)
    if not headers:
        shown.pop("internetMessageHeaders", None)
    return shown


def _link(caller: Caller, name: str, token: Token) -> str:
    request = caller.call.request
    kept = {key: value for key, value in request.query.items() if key not in ("$skiptoken", "$deltatoken")}
    if name == "$deltatoken":
        kept.pop("$filter", None)
    packed = json.dumps({**token, "account": caller.account.id}, separators=(",", ":")).encode()
    kept[name] = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"{request.scheme}://{request.host}{request.path}?{urlencode(kept)}"
