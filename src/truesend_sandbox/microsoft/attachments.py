"""Attachments by Graph: the files of a message, small ones only."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft import api, compose, errors, mail_read, mail_store
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.compose import Refused
from truesend_sandbox.microsoft.parts import all_of, body_of, parts_of


def _context(caller: Caller, tail: str) -> str:
    number = caller.call.request.match_info["id"]
    return mail_read.context(caller, f"messages('{number}')/attachments{tail}")


def list_files(caller: Caller) -> web.StreamResponse:
    """`GET /me/messages/{id}/attachments`."""
    row = mail_read.find(caller)
    if row is None:
        return errors.item_not_found(caller.call)
    return errors.graph_answer(caller.call, {"@odata.context": _context(caller, ""), "value": all_of(row)})


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
    mail = Mail.parse(bytes(row["raw"]))
    compose.set_body(mail, body_of(mail), [*parts_of(mail), part])
    changed = mail_store.replace(caller.world, row, mail, mail_store.kept_of(row))
    made = all_of(changed)[-1]
    return errors.graph_answer(call, {"@odata.context": _context(caller, "/$entity"), **made}, 201)
