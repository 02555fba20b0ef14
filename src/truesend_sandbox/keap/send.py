"""`POST /v2/emails:send` and `POST /v1/emails/queue`: checks, then a mail for each contact (keap.md §2)."""

from __future__ import annotations

import base64
import binascii
import html as escaping
import json
import re
import secrets
from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.keap import addresses, compose, contacts, history, people, tracking
from truesend_sandbox.keap.compose import Content
from truesend_sandbox.keap.contact_fields import Data
from truesend_sandbox.keap.gateway import Caller, json_body
from truesend_sandbox.mailbox import marks
from truesend_sandbox.mailbox.deliver import deliver

MAX_FILES, MAX_FILE = 10, 1_048_576
FIELDS = {"Email": "EMAIL1", "EmailAddress2": "EMAIL2", "EmailAddress3": "EMAIL3"}
"""Values of `address_field` and the address of a contact each stands for."""

_TYPES = """
bmp cdr fpx gif jif jiff jp2 jpeg jpg jpx j2k pcd pdf png psd pspimage thm tif tiff yuv
doc docx err log msg notes pages pwd rtf text txt vcf wp wp4 wp5 wp7 wpd wps wsd xdl
mid mp3 mp4 wav wma
avi divx f4p flv gvi hdmov hdv m2ts m4v mnv mov movie mp4v mpeg mpeg1 mpeg4 mpg qt rm vob wm wmv
csv ics key pps ppt pptx xlr xls xlsx xml zip
"""
EXTENSIONS = frozenset(_TYPES.split())
"""What an attachment's name may end in [SPEC]."""

Sender = tuple[Account, tuple[str, str]]
"""The user a send goes out for, and the name and address it comes from."""


def operation(call: Call) -> str:
    """`send.check` for a send to no contact at all, which can send nothing; else `send`."""
    try:
        body = json.loads(call.body)
    except (UnicodeDecodeError, ValueError):
        return "send"
    return "send.check" if isinstance(body, dict) and body.get("contacts") == [] else "send"


def _decoded(caller: Caller, value: object, name: str) -> bytes | web.Response | None:
    """Content that came as base64; what is none is taken as it is, or refused, by switch."""
    if value is None:
        return None
    if not isinstance(value, str):
        return caller.error(400, f"{name} must be a string", name)
    try:
        return base64.b64decode(re.sub(r"\s", "", value), validate=True)
    except (binascii.Error, ValueError):
        if caller.call.switch("raw_content") == "refuse":
            return caller.error(400, f"{name} must be Base64 encoded", name)
        return (escaping.escape(value) if name == "html_content" else value).encode()


def _files(caller: Caller, items: object) -> list[tuple[str, bytes]] | web.Response:
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return caller.error(400, "attachments must be a list", "attachments")
    if len(items) > MAX_FILES:
        return caller.error(400, f"maximum of {MAX_FILES} attachments", "attachments")
    files: list[tuple[str, bytes]] = []
    for item in items:
        name, text = item.get("file_name"), item.get("file_data")
        if not isinstance(name, str) or not name or not isinstance(text, str):
            return caller.error(400, "file_name and file_data are required", "attachments")
        if name.rpartition(".")[2].lower() not in EXTENSIONS or "." not in name:
            return caller.error(400, "attachment type is invalid", "attachments")
        try:
            data = base64.b64decode(re.sub(r"\s", "", text), validate=True)
        except (binascii.Error, ValueError):
            return caller.error(400, "file_data must be Base64 encoded", "attachments")
        if len(data) > MAX_FILE:
            return caller.error(400, "attachment is larger than 1MB", "attachments")
        files.append((re.sub(r"[\r\n]", " ", name), data))
    return files


def _content(caller: Caller, body: dict[str, Any]) -> Content | web.Response:
    subject = body.get("subject")
    if not isinstance(subject, str) or not subject.strip():
        return caller.error(400, "subject is required", "subject")
    texts: list[str | None] = []
    for name in ("html_content", "plain_content"):
        data = _decoded(caller, body.get(name), name)
        if isinstance(data, web.Response):
            return data
        texts.append(None if data is None else data.decode("utf-8", "replace"))
    files = _files(caller, body.get("attachments"))
    return files if isinstance(files, web.Response) else Content(subject, texts[0], texts[1], tuple(files))


def _sender(caller: Caller, body: dict[str, Any]) -> Sender | web.Response | None:
    """Who it comes from. None: nobody there is, which is accepted, by switch."""
    number, address = body.get("user_id"), body.get("from_address")
    if "/rest/v1/" in caller.path:
        if isinstance(number, bool) or not isinstance(number, int):
            return caller.error(400, "user_id is required")
        number, address = str(number), None
    elif (number in (None, "")) == (address in (None, "")):
        return caller.error(400, "Exactly one of user_id or from_address is required", "user_id")
    for row, account in people.users(caller.world, caller.tenant):
        if not people.may_use(caller.world, caller.tenant, account):
            continue
        known = {account.email, *account.fields.get("from_addresses", [])}
        if number not in (None, "") and str(row["id"]) == number:
            return account, (account.name, account.email)
        if isinstance(address, str) and address.strip().lower() in known:
            return account, (account.name, address.strip().lower())
    if caller.call.switch("unknown_sender") == "accept":
        return None
    if number not in (None, ""):
        return caller.error(400, f"User {number} not found", "user_id")
    return caller.error(400, "from_address is not an authenticated sender", "from_address")


def _contacts(caller: Caller, body: dict[str, Any]) -> list[tuple[int, Data]] | web.Response:
    wanted = body.get("contacts")
    kinds: type | tuple[type, ...] = int if "/rest/v1/" in caller.path else str
    if not isinstance(wanted, list) or not all(
        isinstance(number, kinds) and not isinstance(number, bool) for number in wanted
    ):
        return caller.error(400, "contacts is required", "contacts")
    if not wanted and caller.call.switch("empty_contacts") == "refuse":
        return caller.error(400, "contacts must not be empty", "contacts")
    found: dict[int, Data] = {}
    for number in wanted:
        row = contacts.get(caller.world, caller.tenant, str(number))
        if row is not None:
            found[row["id"]] = contacts.data_of(row)
        elif caller.call.switch("unknown_contacts") == "refuse":
            return caller.error(400, f"Contact {number} not found", "contacts")
    return list(found.items())


def send(caller: Caller) -> web.StreamResponse:
    """202 without a word: no id, nothing about delivery."""
    body = json_body(caller)
    if isinstance(body, web.Response):
        return body
    people_wanted = _contacts(caller, body)
    if isinstance(people_wanted, web.Response):
        return people_wanted
    content = _content(caller, body)
    if isinstance(content, web.Response):
        return content
    field = body.get("address_field") or "Email"
    if not isinstance(field, str) or (field not in FIELDS and not field.startswith("_")):
        return caller.error(400, f"Invalid address_field: {field}", "address_field")
    sender = _sender(caller, body)
    if isinstance(sender, web.Response):
        return sender
    if sender is not None:
        for number, data in people_wanted:
            email = _address(data, field)
            if email is not None and not _dropped(caller, email):
                _deliver(caller, content, sender, (number, data, email))
    return web.Response(status=202)


def _address(data: Data, field: str) -> str | None:
    """The contact's address in that field; a custom field holds none here."""
    slot = FIELDS.get(field)
    return next((item["email"] for item in data.get("email_addresses", []) if item["field"] == slot), None)


def _dropped(caller: Caller, email: str) -> bool:
    """Whether Keap lets the mail fall without a word, by the status of the address and two switches."""
    status = addresses.ensure(caller.world, caller.tenant, email)["status"]
    if status in addresses.BLOCKED:
        return bool(caller.call.switch("blocked_recipients") == "drop")
    opted_in = addresses.opted_in(caller.world, status)
    return not opted_in and caller.call.switch("non_marketable_recipients") == "drop"


def _deliver(caller: Caller, content: Content, sender: Sender, whom: tuple[int, Data, str]) -> None:
    """One mail to one contact, and its place in the history."""
    number, data, email = whom
    account, origin = sender
    html = content.html
    if html is not None and caller.call.switch("html_comments") == "strip":
        html = compose.without_comments(html)
    texts = [content.subject, html, content.plain]
    if caller.call.switch("merge_fields"):
        texts = [None if text is None else compose.merged(text, data, email, origin) for text in texts]
    personal = Content(texts[0] or "", texts[1], texts[2], content.files)
    name = " ".join(part for part in (data.get("given_name"), data.get("family_name")) if part)
    mail_number = secrets.token_hex(16)
    dressed, links = tracking.dress(caller, personal, mail_number)
    mail = compose.mail(dressed, sender=origin, to=(name, email), now=caller.call.now)
    arrival = deliver(
        caller.world,
        provider=people.PROVIDER,
        sender=origin[1],
        recipients=[email],
        mail=mail,
        mark=marks.in_html(personal.html or ""),
    )
    caller.world.store.run(
        "UPDATE keap_addresses SET last_sent_at = ? WHERE tenant = ? AND email = ?",
        caller.call.now,
        caller.tenant,
        email,
    )
    sent = history.Sent(mail_number, account, origin[1], number, email, arrival, links)
    history.keep_sent(caller, personal, sent)
