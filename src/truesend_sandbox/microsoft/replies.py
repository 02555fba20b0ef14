"""Answering a message by Graph: a draft in its conversation, or sent at once."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft import api, compose, drafts, errors, mail_read, mail_send, mail_store
from truesend_sandbox.microsoft.api import Caller, Handler
from truesend_sandbox.microsoft.compose import Refused
from truesend_sandbox.microsoft.mail_store import Kept
from truesend_sandbox.microsoft.message_view import people
from truesend_sandbox.microsoft.parts import body_of
from truesend_sandbox.store import Row

_AGAIN = re.compile(r"^\s*(re|aw)\s*:\s*", re.IGNORECASE)
_BOTH = "Specify either a comment or the body property of the message parameter, not both."


def make_draft(*, everybody: bool) -> Handler:
    """`createReply` and `createReplyAll`: 201 and the draft."""

    def handle(caller: Caller) -> web.StreamResponse:
        made = _answer(caller, everybody=everybody)
        if isinstance(made, web.Response):
            return made
        mail, kept, original = made
        row = drafts.save(caller, mail, kept, original["conversation"])
        return mail_read.answer(caller, row, 201)

    return handle


def send(*, everybody: bool) -> Handler:
    """`reply` and `replyAll`: 202."""

    def handle(caller: Caller) -> web.StreamResponse:
        made = _answer(caller, everybody=everybody)
        if isinstance(made, web.Response):
            return made
        mail, kept, original = made
        stopped = mail_send.check(caller, mail, named=kept.named)
        if stopped is not None:
            return stopped
        sent = mail_send.stamp(caller.world, caller.account, mail)
        mail_store.add(
            caller.world, caller.account, sent, "sentitems", kept, conversation=original["conversation"]
        )
        mail_send.travel(caller, sent)
        return errors.nothing(caller.call, 202)

    return handle


def _answer(caller: Caller, *, everybody: bool) -> tuple[Mail, Kept, Row] | web.Response:
    """The answer's mail, what stands beside it, and the message it answers; or Graph's refusal."""
    call = caller.call
    large = api.too_large(call)
    if large is not None:
        return large
    original = mail_read.find(caller)
    if original is None:
        return errors.item_not_found(call)
    body = api.json_body(call)
    if isinstance(body, web.Response):
        return body
    changes, comment = mail_send.any_case(body, "message") or {}, mail_send.any_case(body, "comment")
    if not isinstance(changes, Mapping) or not isinstance(comment, str | None):
        return errors.bad_request(call, "The message or the comment is invalid.", "ErrorInvalidRequest")
    if comment and "body" in changes:
        return errors.bad_request(call, _BOTH, "ErrorInvalidRequest")
    answered = Mail.parse(bytes(original["raw"]))
    whole: dict[str, Any] = {
        "subject": f"RE: {_AGAIN.sub('', original['subject'])}",
        "body": {"contentType": "html", "content": _quoted(answered, original, comment or "")},
        **_recipients(caller, answered, everybody=everybody),
        **changes,
    }
    try:
        mail, kept = compose.build(whole, custom_headers=call.switch("custom_headers"))
    except Refused as refused:
        return errors.bad_request(call, str(refused), refused.code)
    number = answered.get("message-id")
    if number is not None:
        earlier = answered.get("references")
        mail.set("In-Reply-To", number)
        mail.set("References", f"{earlier} {number}" if earlier else number)
    return mail, kept, original


def _recipients(caller: Caller, answered: Mail, *, everybody: bool) -> dict[str, list[dict[str, Any]]]:
    """Who the answer goes to: the author, or, of a message of one's own, its recipients."""
    own = caller.account.email

    def others(name: str) -> list[dict[str, Any]]:
        return [one for one in people(answered, name) if one["emailAddress"]["address"].lower() != own]

    back = people(answered, "reply-to") or people(answered, "from")
    if answered.addresses("from") == [own]:
        back = people(answered, "to")
    if not everybody:
        return {"toRecipients": back}
    known = {one["emailAddress"]["address"].lower() for one in back}
    more = [one for one in others("to") if one["emailAddress"]["address"].lower() not in known]
    return {"toRecipients": [*back, *more], "ccRecipients": others("cc")}


def _quoted(answered: Mail, original: Row, comment: str) -> str:
    body = body_of(answered)
    inner = body["content"] if body["contentType"] == "html" else f"<pre>{html.escape(body['content'])}</pre>"
    return (
        f"<html><body><div>{html.escape(comment)}</div><hr><div><b>From:</b> {html.escape(original['sender'])}<br>"
        f"<b>Subject:</b> {html.escape(original['subject'])}</div>{inner}</body></html>"
    )
