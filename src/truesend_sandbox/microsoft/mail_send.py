"""Sending by Graph: `sendMail` as JSON and as MIME, and what Exchange does to a mail on its way."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, formataddr, getaddresses
from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.mailbox.deliver import deliver
from truesend_sandbox.mailbox.headers import Mail, NotMail
from truesend_sandbox.microsoft import api, compose, errors, limits, mail_store
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.compose import Refused
from truesend_sandbox.microsoft.mail_store import Kept
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.world import World

MAX_MESSAGE = 36_700_160
"""Bytes of a message that a mailbox sends by default (35 MB)."""
_SEND_AS = (
    "The user account which was used to submit this request does not have the right to send mail on behalf of the"
    " specified sending account. Cannot submit message."
)
_NO_BASE64 = "Invalid base64 string for MIME content."


def is_mime(call: Call) -> bool:
    """Whether the body is MIME in base64 instead of JSON."""
    return call.request.content_type == "text/plain"


def mime_of(body: bytes) -> bytes | None:
    """The bytes of a MIME body in base64 (standard alphabet, line ends allowed); None when it is none."""
    try:
        return base64.b64decode(re.sub(rb"\s", b"", body), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def operation(call: Call) -> str:
    """`send`, or `send.check` for MIME that is no base64, by which nothing can be sent."""
    return "send.check" if is_mime(call) and mime_of(call.body) is None else "send"


def read_mime(call: Call) -> Mail | web.Response:
    """The mail of a MIME body, or Graph's answer to something else."""
    raw = mime_of(call.body)
    if raw is None:
        return errors.bad_request(call, _NO_BASE64, "ErrorMimeContentInvalidBase64String")
    try:
        return Mail.parse(raw)
    except NotMail:
        return errors.bad_request(call, "The MIME content is invalid.", "ErrorMimeContentInvalid")


def any_case(body: Mapping[str, Any], name: str) -> Any:
    """A parameter of an action, whose name may be written `message` or `Message`."""
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def send_mail(caller: Caller) -> web.StreamResponse:
    """`POST /me/sendMail`."""
    call = caller.call
    large = api.too_large(call)
    if large is not None:
        return large
    saved = True
    kept = Kept()
    if is_mime(call):
        read = read_mime(call)
        if isinstance(read, web.Response):
            return read
        mail = read
        _number_mime(caller.world, mail)
    else:
        body = api.json_body(call)
        if isinstance(body, web.Response):
            return body
        message = any_case(body, "message")
        saved = any_case(body, "saveToSentItems") is not False
        if not isinstance(message, Mapping):
            return errors.bad_request(call, "The Message parameter is required.", "ErrorInvalidRequest")
        if message.get("internetMessageHeaders") and not call.switch("custom_headers_on_send"):
            return errors.bad_request(call, "Internet message headers cannot be set.", "ErrorInvalidRequest")
        try:
            mail, kept = compose.build(message, custom_headers=call.switch("custom_headers"))
        except Refused as refused:
            return errors.bad_request(call, str(refused), refused.code)
        kept.is_read = True
    stopped = check(caller, mail, named=not is_mime(call))
    if stopped is not None:
        return stopped
    sent = stamp(caller.world, caller.account, mail)
    if saved:
        mail_store.add(caller.world, caller.account, sent, "sentitems", kept)
    travel(caller, sent)
    return errors.nothing(call, 202)


def _number_mime(world: World, mail: Mail) -> None:
    """The Message-ID that came in MIME stays or goes, by the switch; `stamp` gives a new one."""
    if world.switches.get(PROVIDER, "message_id") == "rewrite":
        mail.remove("message-id")


def check(caller: Caller, mail: Mail, *, named: bool) -> web.Response | None:
    """What Exchange refuses before it answers 202; `named`: a From was chosen, not found in MIME."""
    call, account = caller.call, caller.account
    if named and mail.get("from") is not None and not may_send_as(caller, mail):
        return errors.graph_error(call, 403, "ErrorSendAsDenied", _SEND_AS)
    people = mail.addresses("to", "cc", "bcc")
    wrong = any(mail.wrong_addresses(name) for name in ("to", "cc", "bcc"))
    if not people or wrong:
        message = "At least one recipient isn't valid."
        if not people:
            message += ", A message can't be sent because it contains no recipients."
        return errors.bad_request(call, message, "ErrorInvalidRecipients")
    if len(people) > call.switch("recipients_per_message"):
        return errors.bad_request(
            call, "The number of recipients is above the limit.", "ErrorExceededMaxRecipientLimit"
        )
    if len(mail.render()) > MAX_MESSAGE:
        return errors.graph_error(
            call, 413, "ErrorMessageSizeExceeded", "The message exceeds the maximum size."
        )
    if account.fields.get("send_block"):
        return limits.blocked(call)
    return limits.refused_today(caller, len(people))


def may_send_as(caller: Caller, mail: Mail) -> bool:
    """Whether the From of the mail is the account's own, or another mailbox it has the right and scope for."""
    account = caller.account
    author = next(iter(mail.addresses("from")), "")
    if author == account.email:
        return True
    others = {*account.fields.get("send_as", []), *account.fields.get("send_on_behalf", [])}
    return author in others and "Mail.Send.Shared" in caller.scopes


def stamp(world: World, account: Account, mail: Mail) -> Mail:
    """The mail as Exchange keeps it: From of the account, a Message-ID and a Date."""
    changed = mail.copy()
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    author = next(iter(changed.addresses("from")), "")
    if author in account.fields.get("send_on_behalf", []):
        changed.set("Sender", formataddr((account.name, account.email)))
    elif author not in account.fields.get("send_as", []):
        name = next(iter(getaddresses([changed.get("from") or ""])), ("", ""))[0]
        changed.remove("sender")
        changed.set(
            "From", formataddr((name if author == account.email and name else account.name, account.email))
        )
    if changed.get("message-id") is None:
        changed.set("Message-ID", mail_store.new_message_id())
    changed.set("Date", format_datetime(now))
    return changed


def travel(caller: Caller, sent: Mail) -> None:
    """To every recipient, Bcc known only to the Sent copy; the account's own copy lies in its Inbox."""
    world, account = caller.world, caller.account
    people = sent.addresses("to", "cc", "bcc")
    if limits.bounces_today(caller, sent, people):
        return
    limits.count(caller, len(people))
    mail = sent.copy()
    mail.remove("bcc")
    now = format_datetime(datetime.fromtimestamp(world.clock.now(), UTC))
    mail.prepend(
        "Received",
        "from EURPRD01.prod.outlook.com ([fe80::1]) by EURPRD01.prod.outlook.com ([fe80::1%4]) with mapi"
        f" id 15.20.8048.021; {now}",
    )
    mail.prepend("Return-Path", f"<{account.email}>")
    deliver(world, provider=PROVIDER, sender=account.email, recipients=people, mail=mail)
    if account.email in people:
        mail_store.receive(world, account.email, mail.render())
