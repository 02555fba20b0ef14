"""Drafts by Graph: create from JSON or MIME, change, delete, send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft import api, compose, errors, mail_read, mail_send, mail_store
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.compose import Refused
from truesend_sandbox.microsoft.mail_store import Kept
from truesend_sandbox.microsoft.parts import parts_of
from truesend_sandbox.store import Row

_CONTENT = frozenset(
    {"body", "subject", "importance", "internetMessageId", "from", "sender", *compose.RECIPIENTS}
)
"""Changeable only while the message is a draft."""


def create_operation(call: Call) -> str:
    """`drafts.create`, or `drafts.check` for MIME that is no base64, by which nothing is made."""
    asks = mail_send.is_mime(call) and mail_send.mime_of(call.body) is None
    return "drafts.check" if asks else "drafts.create"


def send_operation(call: Call) -> str:
    """`drafts.send`, or `drafts.send.check` for an id that is nowhere, by which nothing is sent."""
    return mail_read.kind("drafts.send", "drafts.send", "drafts.send.check")(call)


def create(caller: Caller) -> web.StreamResponse:
    """`POST /me/messages`: 201 and the draft."""
    call = caller.call
    large = api.too_large(call)
    if large is not None:
        return large
    kept = Kept()
    if mail_send.is_mime(call):
        read = mail_send.read_mime(call)
        if isinstance(read, web.Response):
            return read
        mail = read
        if call.switch("message_id") == "rewrite":
            mail.remove("message-id")
    else:
        body = api.json_body(call)
        if isinstance(body, web.Response):
            return body
        try:
            mail, kept = compose.build(body, custom_headers=call.switch("custom_headers"))
        except Refused as refused:
            return errors.bad_request(call, str(refused), refused.code)
    return mail_read.answer(caller, save(caller, mail, kept), 201)


def save(caller: Caller, mail: Mail, kept: Kept, conversation: str | None = None) -> Row:
    """A new draft. It has its internetMessageId from now on."""
    if mail.get("message-id") is None:
        mail.set("Message-ID", mail_store.new_message_id())
    return mail_store.add(caller.world, caller.account, mail, "drafts", kept, conversation=conversation)


def change(caller: Caller) -> web.StreamResponse:
    """`PATCH /me/messages/{id}`: 200 and the message."""
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
    if not row["draft"] and _CONTENT & set(body):
        name = sorted(_CONTENT & set(body))[0]
        return errors.bad_request(
            call,
            f"Update is not supported for property '{name}' of a message that is sent.",
            "ErrorInvalidPropertySet",
        )
    try:
        changed = apply(row, body)
    except Refused as refused:
        return errors.bad_request(call, str(refused), refused.code)
    return mail_read.answer(caller, mail_store.replace(caller.world, row, *changed))


def apply(row: Row, given: Mapping[str, Any]) -> tuple[Mail, Kept]:
    """The message's mail and what stands beside it, changed. Raises `Refused`."""
    compose.check_names(given)
    mail, kept = Mail.parse(bytes(row["raw"])), mail_store.kept_of(row)
    compose.set_headers(mail, kept, given)
    if isinstance(given.get("body"), Mapping):
        compose.set_body(mail, given["body"], parts_of(mail))
    return mail, kept


def delete(caller: Caller) -> web.StreamResponse:
    """`DELETE /me/messages/{id}`: 204; into Deleted Items, from there for good."""
    row = mail_read.find(caller)
    if row is None:
        return errors.item_not_found(caller.call)
    if row["folder"] == "deleteditems" or caller.call.switch("delete_goes_to") == "nowhere":
        mail_store.remove(caller.world, row)
    else:
        mail_store.move(caller.world, row, "deleteditems")
    return errors.nothing(caller.call, 204)


def send(caller: Caller) -> web.StreamResponse:
    """`POST /me/messages/{id}/send`: 202; what is sent already never goes twice."""
    call, world = caller.call, caller.world
    row = mail_read.find(caller)
    if row is None:
        return errors.item_not_found(call)
    if not row["draft"]:
        if call.switch("second_send") == "not_found":
            return errors.item_not_found(call)
        message = "The operation can't be performed because the item is not a draft."
        return errors.bad_request(call, message, "ErrorInvalidItemForOperationSendItem")
    mail = Mail.parse(bytes(row["raw"]))
    # A From inside MIME is replaced in silence, one that JSON has named is refused.
    stopped = mail_send.check(caller, mail, named=mail_store.kept_of(row).named)
    if stopped is not None:
        return stopped
    sent = mail_send.stamp(world, caller.account, mail)
    mail_store.file_as_sent(world, row, sent)
    mail_send.travel(caller, sent)
    return errors.nothing(call, 202)
