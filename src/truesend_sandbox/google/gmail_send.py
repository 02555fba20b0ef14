"""Gmail's sending: `messages.send` as JSON and by upload, and what Gmail does to a mail on its way."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime, formataddr, getaddresses
from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.google import api, errors, gmail_store, limits
from truesend_sandbox.google.api import Caller
from truesend_sandbox.mailbox.deliver import deliver
from truesend_sandbox.mailbox.headers import Mail, NotMail
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

MAX_UPLOAD = 36_700_160
"""Bytes of a mail by upload (discovery document: mediaUpload.maxSize)."""
_NO_RAW = "'raw' RFC822 payload message string or uploading message via /upload/* URL required"
_BASE64URL = re.compile(r"[A-Za-z0-9_\-+/]*={0,2}")


def raw_of(value: object) -> bytes | None:
    """The bytes of a base64url `raw`, padded or not; None when it is none."""
    if not isinstance(value, str):
        return None
    text = re.sub(r"\s", "", value)
    if not text or not _BASE64URL.fullmatch(text):
        return None
    text = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


def operation(call: Call) -> str:
    """`send`, or `send.check` where `raw` is nothing Gmail could read, so that nothing can be sent by it."""
    try:
        body = json.loads(call.body)
    except (UnicodeDecodeError, ValueError):
        return "send"
    given = isinstance(body, dict) and isinstance(body.get("raw"), str)
    return "send.check" if given and raw_of(body["raw"]) is None else "send"


def send_json(caller: Caller) -> web.StreamResponse:
    """`{"raw", "threadId"?}`."""
    if len(caller.call.body) > caller.call.switch("json_body_limit"):
        return errors.api_error(413, "Request payload size exceeds the limit.", "uploadTooLarge")
    body = api.json_body(caller.call)
    if isinstance(body, web.Response):
        return body
    raw = raw_of(body.get("raw"))
    if raw is None:
        return errors.bad_request(_NO_RAW)
    return send(caller, raw, body)


def send(caller: Caller, raw: bytes, resource: dict[str, Any]) -> web.StreamResponse:
    """Send the mail; `resource` may name the thread. Answers with the Message or Google's error."""
    thread = resource.get("threadId") or None
    if thread is not None and not isinstance(thread, str):
        return errors.bad_request("Invalid value at 'message.thread_id'")
    checked = check(caller, raw, thread)
    if isinstance(checked, web.Response):
        return checked
    row = hand_over(caller, checked, thread)
    return errors.json_answer(brief(row))


def brief(row: Row) -> dict[str, Any]:
    """The part of a message that a send answers with."""
    return {"id": row["id"], "threadId": row["thread_id"], "labelIds": row["labels"].split()}


def check(caller: Caller, raw: bytes, thread: str | None) -> Mail | web.Response:
    """What Gmail refuses before anything is sent."""
    if len(raw) > MAX_UPLOAD:
        return errors.api_error(413, "Request entity too large", "uploadTooLarge")
    try:
        mail = Mail.parse(raw)
    except NotMail:
        return errors.bad_request(_NO_RAW)
    for name in ("To", "Cc", "Bcc"):
        if mail.wrong_addresses(name.lower()):
            return errors.bad_request(f"Invalid {name} header")
    recipients = mail.addresses("to", "cc", "bcc")
    if not recipients:
        return errors.bad_request("Recipient address required")
    if len(recipients) > caller.call.switch("recipients_per_message"):
        return errors.bad_request("Too many recipients")
    if thread is not None and not _thread_exists(caller.world, caller.account, thread):
        return errors.not_found()
    return limits.over_daily_limit(caller, len(recipients)) or mail


def _thread_exists(world: World, account: Account, thread: str) -> bool:
    found = world.store.value(
        "SELECT 1 FROM gmail_messages WHERE account_id = ? AND thread_id = ? LIMIT 1", account.id, thread
    )
    return found is not None


def _joins(world: World, account: Account, mail: Mail, thread: str) -> bool:
    """Whether the mail meets the other two conditions of a thread: references and subject [G:threads]."""
    rows = world.store.all(
        "SELECT rfc_id, subject FROM gmail_messages WHERE account_id = ? AND thread_id = ?",
        account.id,
        thread,
    )
    named = set(gmail_store.references(mail))
    subject = gmail_store.plain_subject(mail.text("subject"))
    return any(row["rfc_id"] in named for row in rows) and any(row["subject"] == subject for row in rows)


def stamp(world: World, account: Account, mail: Mail) -> Mail:
    """The mail as Gmail keeps it: own Message-ID, From of the account, a Date, a Received line."""
    changed = mail.copy()
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    changed.set("From", _from(account, mail))
    if changed.get("date") is None:
        changed.set("Date", format_datetime(now))
    if changed.get("message-id") is None or world.switches.get("google", "message_id") == "rewrite":
        changed.set("Message-ID", f"<CA{secrets.token_urlsafe(36)}@mail.gmail.com>")
    changed.prepend(
        "Received", f"from 424242 named unknown by gmailapi.google.com with HTTPREST; {format_datetime(now)}"
    )
    return changed


def _from(account: Account, mail: Mail) -> str:
    """The From header, silently the account's own unless the address is a verified alias."""
    pairs = getaddresses([mail.get("from") or ""])
    name, address = pairs[0] if pairs else ("", "")
    allowed = {account.email} | {
        alias["email"] for alias in account.fields.get("send_as", []) if alias.get("verified", True)
    }
    if address.lower() in allowed:
        return mail.get("from") or address
    return formataddr((name or account.name, account.email))


def hand_over(caller: Caller, mail: Mail, thread: str | None) -> Row:
    """Into SENT and to every recipient, Bcc known only to the Sent copy."""
    world, account = caller.world, caller.account
    recipients = mail.addresses("to", "cc", "bcc")
    kept = stamp(world, account, mail)
    joined = thread if thread is not None and _joins(world, account, mail, thread) else None
    labels = ("SENT", "INBOX", "UNREAD") if account.email in recipients else ("SENT",)
    row = gmail_store.add(world, account.id, kept, labels, joined)
    _travel(caller, kept, recipients)
    return row


def send_in_place(caller: Caller, mail: Mail, draft: Row) -> Row:
    """The other reading of drafts.send: the draft's own message turns from DRAFT to SENT."""
    world, account = caller.world, caller.account
    recipients = mail.addresses("to", "cc", "bcc")
    kept = stamp(world, account, mail)
    raw = kept.render()
    world.store.run(
        "UPDATE gmail_messages SET raw = ?, size = ?, rfc_id = ?, at = ? WHERE seq = ?",
        raw,
        len(raw),
        kept.get("message-id"),
        world.clock.now(),
        draft["seq"],
    )
    own = ("INBOX", "UNREAD") if account.email in recipients else ()
    row = gmail_store.relabel(world, draft, add_labels=("SENT", *own), drop=("DRAFT",))
    _travel(caller, kept, recipients)
    return row


def _travel(caller: Caller, kept: Mail, recipients: list[str]) -> None:
    limits.count(caller, len(recipients))
    mail = kept.copy()
    mail.remove("bcc")
    mail.prepend("Return-Path", f"<{caller.account.email}>")
    deliver(caller.world, provider="google", sender=caller.account.email, recipients=recipients, mail=mail)
