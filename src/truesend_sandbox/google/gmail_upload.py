"""Sending by the upload addresses: simple media, multipart, and resumable in one or several parts."""

from __future__ import annotations

import json
import re
import secrets
from email.parser import BytesParser
from email.policy import compat32
from typing import Any

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.google import errors, gmail_drafts, gmail_send
from truesend_sandbox.google.api import Caller
from truesend_sandbox.store import Row

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


def operation(target: str, call: Call) -> str:
    """The target's own name for the request that does it; opening and parts of an upload have other names."""
    if call.request.query.get("uploadType") != "resumable":
        return target
    if "upload_id" not in call.request.query:
        return "upload.start"
    position = _RANGE.fullmatch(call.request.headers.get("Content-Range", ""))
    if position is None or (position[2] is not None and position[3] == str(int(position[2]) + 1)):
        return target
    return "upload.part"


def upload(target: str, caller: Caller) -> web.StreamResponse:
    """One request to an upload address."""
    call = caller.call
    if len(call.body) > gmail_send.MAX_UPLOAD + 65_536:
        return errors.api_error(413, "Request entity too large", "uploadTooLarge")
    kind = call.request.query.get("uploadType")
    if kind == "media":
        return finish(target, caller, {}, call.body)
    if kind == "multipart":
        parts = _related(call)
        if parts is None:
            return errors.bad_request(
                "Bad multipart body: metadata and message/rfc822 expected", "badContent"
            )
        return finish(target, caller, *parts)
    if kind == "resumable":
        return _resumable(target, caller)
    return errors.bad_request("Invalid uploadType")


def finish(target: str, caller: Caller, resource: dict[str, Any], raw: bytes) -> web.StreamResponse:
    """Do with the whole mail what the address is for."""
    if target == "send":
        return gmail_send.send(caller, raw, resource)
    if target == "drafts.send":
        return gmail_drafts.send_with(caller, resource, raw)
    return gmail_drafts.save(caller, resource, raw)


def _related(call: Call) -> tuple[dict[str, Any], bytes] | None:
    """The JSON part and the mail of a multipart/related body."""
    content_type = call.request.headers.get("Content-Type", "")
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.lower().startswith("multipart/related") or found is None:
        return None
    edge = b"--" + found[1].encode()
    pieces = [piece for piece in re.split(rb"(?:^|\r?\n)" + re.escape(edge), call.body) if piece.strip()]
    bodies = [piece for piece in pieces if not piece.startswith(b"--")]
    if len(bodies) != 2:
        return None
    parts = [re.split(rb"\r?\n\r?\n", re.sub(rb"^[ \t]*\r?\n", b"", piece), maxsplit=1) for piece in bodies]
    if any(len(part) != 2 for part in parts):
        return None
    try:
        resource = json.loads(parts[0][1])
    except ValueError:
        return None
    mail_head = BytesParser(policy=compat32).parsebytes(parts[1][0] + b"\r\n\r\n", headersonly=True)
    if mail_head.get("Content-Transfer-Encoding", "").lower() == "base64":
        decoded = gmail_send.raw_of(parts[1][1].decode("ascii", "replace"))
        return None if decoded is None or not isinstance(resource, dict) else (resource, decoded)
    return (resource, parts[1][1]) if isinstance(resource, dict) else None


def _resumable(target: str, caller: Caller) -> web.StreamResponse:
    call, store = caller.call, caller.world.store
    upload_id = call.request.query.get("upload_id")
    if upload_id is None:
        return _open(target, caller)
    row = store.one(
        "SELECT * FROM gmail_uploads WHERE id = ? AND account_id = ? AND target = ?",
        upload_id,
        caller.account.id,
        target,
    )
    if row is None:
        return errors.not_found()
    return _part(target, caller, row)


def _open(target: str, caller: Caller) -> web.StreamResponse:
    call = caller.call
    try:
        resource = json.loads(call.body) if call.body.strip() else {}
    except ValueError:
        return errors.api_error(400, "Parse Error", "parseError")
    length = call.request.headers.get("X-Upload-Content-Length", "")
    if length.isdecimal() and int(length) > gmail_send.MAX_UPLOAD:
        return errors.api_error(413, "Request entity too large", "uploadTooLarge")
    upload_id = secrets.token_urlsafe(48)
    caller.world.store.run(
        "INSERT INTO gmail_uploads (id, account_id, target, metadata, at, size) VALUES (?, ?, ?, ?, ?, ?)",
        upload_id,
        caller.account.id,
        target,
        json.dumps(resource),
        call.now,
        int(length) if length.isdecimal() else None,
    )
    location = f"{call.request.scheme}://{call.request.host}{call.request.path}?uploadType=resumable&upload_id={upload_id}"
    return web.Response(headers={"Location": location, "X-GUploader-UploadID": upload_id})


def _part(target: str, caller: Caller, row: Row) -> web.StreamResponse:
    """Bytes of an open upload; 308 until the last have come."""
    call, store = caller.call, caller.world.store
    body = bytes(row["body"])
    header = call.request.headers.get("Content-Range", "")
    position = _RANGE.fullmatch(header)
    if header and position is None:
        return errors.bad_request("Failed to parse Content-Range header.")
    if position is not None and position[1] is not None and int(position[1]) != len(body):
        return _incomplete(body)
    body += call.body
    if len(body) > gmail_send.MAX_UPLOAD:
        return errors.api_error(413, "Request entity too large", "uploadTooLarge")
    if position is not None and (position[3] == "*" or len(body) < int(position[3])):
        store.run("UPDATE gmail_uploads SET body = ? WHERE id = ?", body, row["id"])
        return _incomplete(body)
    store.run("DELETE FROM gmail_uploads WHERE id = ?", row["id"])
    return finish(target, caller, json.loads(row["metadata"]), body)


def _incomplete(body: bytes) -> web.Response:
    headers = {"Range": f"bytes=0-{len(body) - 1}"} if body else {}
    return web.Response(status=308, headers=headers)
