"""Listings of messages: all of the mailbox or one folder, by filter, order and pages; and the folders."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from truesend_sandbox.microsoft import errors, mail_read, mail_store, query
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.message_view import resource
from truesend_sandbox.microsoft.query import BadQuery, Condition

MOST = 1000
USUAL = 10
_KNOWN = frozenset(
    {"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$select", "$expand", "$count", "$search"}
)


def messages(caller: Caller) -> web.StreamResponse:
    """`GET /me/messages` and `GET /me/mailFolders/{folder}/messages`."""
    call = caller.call
    folder = None
    if "folder" in call.request.match_info:
        folder = mail_store.folder_named(caller.account.id, call.request.match_info["folder"])
        if folder is None:
            return errors.item_not_found(call)
    view = mail_read.view_of(caller)
    if isinstance(view, web.Response):
        return view
    asked = call.request.query
    try:
        size, start = _page(asked.get("$top"), asked.get("$skip"), asked.get("$skiptoken"))
        where, order = _sorted_out(caller)
    except BadQuery as refused:
        return errors.bad_request(call, str(refused), refused.code)
    path = "messages" if folder is None else f"mailFolders('{call.request.match_info['folder']}')/messages"
    body: dict[str, Any] = {"@odata.context": mail_read.context(caller, mail_read.chosen(view, path))}
    source = (
        "FROM microsoft_messages m WHERE m.account_id = ? AND m.listed_at <= ? AND (? IS NULL OR m.folder = ?)"
        + (f" AND {where.sql}" if where else "")
    )
    values = [caller.account.id, call.now, folder, folder, *(where.values if where else ())]
    if asked.get("$count", "").lower() == "true":
        body["@odata.count"] = caller.world.store.value(f"SELECT COUNT(*) {source}", *values)
    rows = caller.world.store.all(
        f"SELECT m.* {source} ORDER BY {order} LIMIT ? OFFSET ?", *values, size + 1, start
    )
    body["value"] = [resource(row, view) for row in rows[:size]]
    if len(rows) > size:
        body["@odata.nextLink"] = _next(caller, start + size)
    return errors.graph_answer(call, body, headers=mail_read.applied(caller))


def _sorted_out(caller: Caller) -> tuple[Condition | None, str]:
    """The condition and the order of a request. Raises `BadQuery`."""
    asked = caller.call.request.query
    strange = [name for name in asked if name.startswith("$") and name not in _KNOWN]
    if strange:
        raise BadQuery("BadRequest", f"The query parameter '{strange[0]}' is not supported.")
    if asked.get("$search"):
        raise BadQuery("BadRequest", "The sandbox serves no $search.")
    where = None
    if asked.get("$filter"):
        number = caller.account.id
        where = query.condition(asked["$filter"], lambda text: mail_store.folder_named(number, text))
    if asked.get("$orderby"):
        return where, query.order(asked["$orderby"], where)
    return where, "m.received_at DESC, m.seq DESC"


def _number(text: str, name: str, most: int) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) > most:
        raise BadQuery("RequestBroker--ParseUri", f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _page(top: str | None, skip: str | None, token: str | None) -> tuple[int, int]:
    """Size and start of a page. Raises `BadQuery`."""
    size = USUAL if top is None else _number(top, "$top", MOST)
    if token is None:
        return size, 0 if skip is None else _number(skip, "$skip", 10**9)
    try:
        return size, int(base64.urlsafe_b64decode(token.encode()).decode("ascii").removeprefix("start:"))
    except (ValueError, binascii.Error):
        raise BadQuery("ErrorInvalidUrlQuery", "The $skiptoken is invalid.") from None


def _next(caller: Caller, start: int) -> str:
    request = caller.call.request
    kept = {name: value for name, value in request.query.items() if name not in ("$skip", "$skiptoken")}
    kept["$skiptoken"] = base64.urlsafe_b64encode(f"start:{start}".encode()).decode()
    return f"{request.scheme}://{request.host}{request.path}?{urlencode(kept)}"


def _folder(caller: Caller, name: str) -> dict[str, Any]:
    counted = caller.world.store.one(
        "SELECT COUNT(*) AS whole, COALESCE(SUM(1 - is_read), 0) AS unread FROM microsoft_messages"
        " WHERE account_id = ? AND folder = ? AND listed_at <= ?",
        caller.account.id,
        name,
        caller.call.now,
    )
    assert counted is not None
    return {
        "id": mail_store.folder_id(caller.account.id, name),
        "displayName": mail_store.FOLDERS[name],
        "parentFolderId": mail_store.folder_id(caller.account.id, "msgfolderroot"),
        "childFolderCount": 0,
        "unreadItemCount": counted["unread"],
        "totalItemCount": counted["whole"],
        "isHidden": False,
    }


def folders(caller: Caller) -> web.StreamResponse:
    """`GET /me/mailFolders`."""
    body = {
        "@odata.context": mail_read.context(caller, "mailFolders"),
        "value": [_folder(caller, name) for name in mail_store.FOLDERS],
    }
    return errors.graph_answer(caller.call, body)


def folder(caller: Caller) -> web.StreamResponse:
    """`GET /me/mailFolders/{folder}`, by id or well-known name."""
    name = mail_store.folder_named(caller.account.id, caller.call.request.match_info["folder"])
    if name is None:
        return errors.item_not_found(caller.call)
    body = {"@odata.context": mail_read.context(caller, "mailFolders/$entity"), **_folder(caller, name)}
    return errors.graph_answer(caller.call, body)
