"""Upload sessions: a large file comes in parts to an address of its own, then belongs to a draft.

Graph, "Attach large files to Outlook messages or events": 3 to 150 MB, parts of at most 4 MB in their order, no
`Authorization` at the address; 200 with what is expected next, 201 for the last.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.door import Call
from truesend_sandbox.microsoft import api, attachments, compose, errors, mail_read, mail_store
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.moments import moment
from truesend_sandbox.store import Row

PATH = "/api/gv1.0/AttachmentSessions/{upload}"
LARGEST = 150 * 1024 * 1024
LARGEST_PART = 4 * 1024 * 1024
_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")
_TOO_SMALL = "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"


def start(caller: Caller) -> web.StreamResponse:
    """`POST /me/messages/{id}/attachments/createUploadSession`: 201 and where the parts go."""
    call = caller.call
    row = mail_read.find(caller)
    if row is None:
        return errors.item_not_found(call)
    body = api.json_body(call)
    if isinstance(body, web.Response):
        return body
    item = next((value for key, value in body.items() if key.lower() == "attachmentitem"), None)
    if not isinstance(item, Mapping) or str(item.get("attachmentType", "")).lower() != "file":
        return errors.bad_request(call, "The AttachmentItem must be a file.", "ErrorInvalidRequest")
    size, name = item.get("size"), item.get("name")
    if not isinstance(name, str) or not name or isinstance(size, bool) or not isinstance(size, int):
        return errors.bad_request(call, "The AttachmentItem needs a name and a size.", "ErrorInvalidRequest")
    if size < call.switch("session_minimum"):
        return errors.bad_request(call, "The attachment size is below the minimum.", _TOO_SMALL)
    if size > LARGEST:
        return errors.bad_request(call, "The attachment size exceeds the limit.", "ErrorInvalidRequest")
    return _opened(caller, row, item, size)


def _opened(caller: Caller, row: Row, item: Mapping[str, object], size: int) -> web.Response:
    call, number = caller.call, secrets.token_urlsafe(60)
    until = call.now + call.switch("session_seconds")
    caller.world.store.run(
        "INSERT INTO microsoft_uploads (id, account_id, seq, name, kind, content_id, inline, size, until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        number,
        caller.account.id,
        row["seq"],
        str(item["name"]),
        str(item.get("contentType") or ""),
        str(item.get("contentId") or ""),
        int(item.get("isInline") is True),
        size,
        until,
    )
    address = f"{call.request.scheme}://{call.request.host}{PATH.format(upload=number)}"
    body = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.uploadSession",
        "uploadUrl": address,
        "expirationDateTime": moment(until),
        "nextExpectedRanges": ["0-"],
    }
    return errors.graph_answer(call, body, 201)


def identify(call: Call) -> str | None:
    """Whose upload it is."""
    row = _session(call)
    account = None if row is None else accounts.by_id(call.world, row["account_id"])
    return None if account is None else account.email


def _session(call: Call) -> Row | None:
    return call.world.store.one(
        "SELECT * FROM microsoft_uploads WHERE id = ? AND until > ?",
        call.request.match_info["upload"],
        call.now,
    )


def _came(call: Call, row: Row) -> int:
    """Bytes that are there."""
    found = call.world.store.value(
        "SELECT COALESCE(SUM(LENGTH(content)), 0) FROM microsoft_upload_parts WHERE upload = ?", row["id"]
    )
    return int(found)


def _gone(call: Call) -> web.Response:
    return errors.graph_error(call, 404, "ErrorItemNotFound", "The upload session was not found.")


def _waiting(call: Call, row: Row, at: int) -> web.Response:
    """200 and what is expected next."""
    body = {"expirationDateTime": moment(row["until"]), "nextExpectedRanges": [f"{at}-"]}
    return errors.graph_answer(call, body)


def part(call: Call) -> web.StreamResponse:
    """`PUT` of some bytes."""
    row = _session(call)
    if "Authorization" in call.request.headers:
        return errors.unauthenticated(call, "The address of an upload takes no access token.")
    if row is None:
        return _gone(call)
    found = _RANGE.fullmatch(call.request.headers.get("Content-Range", ""))
    first, last, whole = (int(number) for number in found.groups()) if found else (0, -1, -1)
    if whole != row["size"] or last - first + 1 != len(call.body) or last >= row["size"] or not call.body:
        return errors.bad_request(call, "The Content-Range header is invalid.", "ErrorInvalidRequest")
    if len(call.body) > LARGEST_PART:
        return errors.graph_error(call, 413, "RequestEntityTooLarge", "The part is larger than 4 MB.")
    step, is_last = call.switch("session_step"), last + 1 == row["size"]
    if step and len(call.body) % step and not is_last:
        return errors.bad_request(call, f"Parts are multiples of {step} bytes.", "ErrorInvalidRequest")
    if first != _came(call, row):
        return errors.graph_error(
            call, 416, "invalidRange", "The uploaded part does not begin where the last one ended."
        )
    call.world.store.run(
        "INSERT INTO microsoft_upload_parts (upload, start, content) VALUES (?, ?, ?)",
        row["id"],
        first,
        call.body,
    )
    return _finished(call, row) if is_last else _waiting(call, row, last + 1)


def _finished(call: Call, row: Row) -> web.Response:
    """The file is whole: it belongs to the message, and the session has ended."""
    world = call.world
    message = world.store.one("SELECT * FROM microsoft_messages WHERE seq = ?", row["seq"])
    if message is None:
        return errors.item_not_found(call)
    parts = world.store.all(
        "SELECT content FROM microsoft_upload_parts WHERE upload = ? ORDER BY start", row["id"]
    )
    data = b"".join(bytes(one["content"]) for one in parts)
    made = compose.file_part(
        row["name"], row["kind"], data, content_id=row["content_id"], inline=bool(row["inline"])
    )
    attachments.add(world, message, made)
    _forget(call, row)
    place = f"https://outlook.office.com/api/v2.0/Users/attachments/{mail_store.new_item_id()}"
    return web.Response(status=201, headers=errors.stamped(call, {"Location": place}))


def _forget(call: Call, row: Row) -> None:
    call.world.store.run("DELETE FROM microsoft_upload_parts WHERE upload = ?", row["id"])
    call.world.store.run("DELETE FROM microsoft_uploads WHERE id = ?", row["id"])


def status(call: Call) -> web.StreamResponse:
    """`GET`: what it waits for, where the switch lets it tell."""
    row = _session(call)
    if row is None:
        return _gone(call)
    if not call.switch("session_tells"):
        return errors.graph_error(call, 405, "ErrorInvalidRequest", "The method is not allowed.")
    return _waiting(call, row, _came(call, row))


def cancel(call: Call) -> web.StreamResponse:
    """`DELETE`: 204, and nothing of it is kept."""
    row = _session(call)
    if row is None:
        return _gone(call)
    _forget(call, row)
    return errors.nothing(call, 204)
