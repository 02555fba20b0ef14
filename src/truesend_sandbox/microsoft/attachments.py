"""Attachments by Graph: the files of a message; large ones come by `uploads.py`."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft import api, compose, errors, mail_read, mail_store
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.compose import Refused
from truesend_sandbox.microsoft.parts import all_of
from truesend_sandbox.store import Row
from truesend_sandbox.world import World


def _context(caller: Caller, tail: str) -> str:
    number = caller.call.request.match_info["id"]
    return mail_read.context(caller, f"messages('{number}')/attachments{tail}")


def list_files(caller: Caller) -> web.StreamResponse:
    """`GET /me/messages/{id}/attachments`."""
    row = mail_read.find(caller)
    if row is None:
        return errors.item_not_found(caller.call)
    return errors.graph_answer(
        caller.call, {"@odata.context": _context(caller, ""), "value": _selected(caller, all_of(row))}
    )


def _selected(caller: Caller, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files with what `$select` names; their kind and id are always told."""
    names = [name for name in caller.call.request.query.get("$select", "").split(",") if name]
    kept = {"@odata.type", "@odata.mediaContentType", "id", *names}
    return [{key: value for key, value in one.items() if not names or key in kept} for one in files]


def get(caller: Caller) -> web.StreamResponse:
    """`GET /me/messages/{id}/attachments/{attachment}`."""
    row = mail_read.find(caller)
    wanted = caller.call.request.match_info["attachment"]
    found = [] if row is None else [one for one in all_of(row) if one["id"] == wanted]
    if not found:
        return errors.item_not_found(caller.call)
    return errors.graph_answer(caller.call, {"@odata.context": _context(caller, "/$entity"), **found[0]})


def create(caller: Caller) -> web.StreamResponse:
    """`POST /me/messages/{id}/attachments`: 201 and the attachment."""
    call = caller.call
    large = api.too_large(call)
    if large is not None:
        return large
    row = mail_read.find(caller)
    if row is None:
        return errors.item_not_found(call)
    body = api.json_body(call)
    if isinstance(body, web.Response):
        return body
    try:
        part = compose.attachment(body)
    except Refused as refused:
        return errors.bad_request(call, str(refused), refused.code)
    made = all_of(add(caller.world, row, part))[-1]
    return errors.graph_answer(call, {"@odata.context": _context(caller, "/$entity"), **made}, 201)


def add(world: World, row: Row, part: bytes) -> Row:
    """The message with one more file, its text and the others as they were."""
    mail = Mail.parse(bytes(row["raw"]))
    compose.add_part(mail, part)
    return mail_store.replace(world, row, mail, mail_store.kept_of(row))
