"""Building `emails:send` of REST v2 and reading what comes of it. Pure.

Keap takes no header of ours, answers 202 with no body and no id, and keeps the HTML of what it sent: so the mark of a
delivery travels as a comment at the very end of the HTML. Contents are base64 of UTF-8; plain HTML is not refused but
reaches people as its own source (seen by one party).
"""

from __future__ import annotations

import base64
import html as html_module
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from truesend.providers.contract import CHECK_CALL, Message, Request
from truesend.providers.http import Answer
from truesend.providers.keap import api

# Extensions that the specification of `EmailSendRequestAttachment` lists; any other is refused with a 400.
_TYPES = """
bmp cdr fpx gif jif jiff jp2 jpeg jpg jpx j2k pcd pdf png psd pspimage thm tif tiff yuv
doc docx err log msg notes pages pwd rtf text txt vcf wp wp4 wp5 wp7 wpd wps wsd xdl
mid mp3 mp4 wav wma
avi divx f4p flv gvi hdmov hdv m2ts m4v mnv mov movie mp4v mpeg mpeg1 mpeg4 mpg qt rm vob wm wmv
csv ics key pps ppt pptx xlr xls xlsx xml zip
"""
FILE_TYPES = frozenset(_TYPES.split())
# `~Contact.FirstName~`: what Keap fills in. Whether it does so here is not documented, so nothing may look like it.
MERGE_FIELD = r"~[^\s~<>]{1,200}~"
_FIELD = re.compile(f"(?={MERGE_FIELD})~")
_MARK = re.compile(rb"<!--\s*truesend:delivery=([0-9a-f-]{36})\s*-->", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"^message-id:\s*(<[^<>\s]{1,990}>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Reference:
    """What is prepared before a send: in whose name, to which contact and address of it, and since when to look."""

    user: str
    contact: str
    field: str
    at: datetime

    def __str__(self) -> str:
        """As it is committed with the attempt."""
        told = {"user": self.user, "contact": self.contact, "field": self.field, "at": self.at.isoformat()}
        return json.dumps(told)


def read_reference(text: str) -> Reference | None:
    """The reference that was committed; None where it is none of ours."""
    try:
        told = json.loads(text)
        at = datetime.fromisoformat(told["at"])
        found = Reference(str(told["user"]), str(told["contact"]), str(told["field"]), at)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if found.contact and at.tzinfo is not None else None


def mark_comment(mark: str) -> str:
    """The closing comment. `tracking/quoted.py` takes it out of what is quoted in a later mail."""
    return f"<!-- truesend:delivery={mark} -->"


def with_mark(message: Message) -> str:
    """The HTML with our mark at its very end; of a plain text an HTML that shows the same."""
    shown = message.html
    if not shown:
        # Not `pre`, whose type is another one; lines break where they are too long.
        text = html_module.escape(message.text, quote=False).replace("~", "&#126;")
        shown = f'<div style="white-space:pre-wrap">{text}</div>'
    return shown + mark_comment(message.mark)


def send_request(message: Message, secret: str, reference: Reference) -> Request:
    """``POST /v2/emails:send`` of one copy to one contact."""
    body: dict[str, Any] = {
        "contacts": [reference.contact],
        "user_id": reference.user,
        "address_field": reference.field,
        "subject": message.subject,
        "html_content": _base64(with_mark(message).encode()),
    }
    if message.text:
        body["plain_content"] = _base64(_without_fields(message.text).encode())
    if message.files:
        body["attachments"] = [
            {"file_name": file.name, "file_data": _base64(file.content)} for file in message.files
        ]
    return api.with_body("POST", "/v2/emails:send", "send", secret, body)


def _without_fields(text: str) -> str:
    """Plain text knows no references: a joiner that nobody sees keeps `~Contact.FirstName~` from being one."""
    return _FIELD.sub("~\N{WORD JOINER}", text)


def send_check_request(secret: str) -> Request:
    """``emails:send`` to nobody, which has to be refused with a 400 and can send nothing."""
    return api.with_body("POST", "/v2/emails:send", CHECK_CALL, secret, {"contacts": [], "subject": ""})


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def is_accepted(answer: Answer) -> bool:
    """202 and nothing else (specification); a page of somebody in between is not Keap's answer."""
    return answer.status == 202 and (not answer.body.strip() or isinstance(answer.json(), Mapping))


@dataclass(frozen=True)
class Sent:
    """A mail in Keap's history, with its content: its id, the marks in it, its Message-ID where headers are kept."""

    id: str
    marks: frozenset[str]
    internet_message_id: str


def read_sent(body: object) -> Sent | None:
    """`EmailSentWithContent`; None where it is no such thing. A content that is no base64 is read as it stands."""
    if not isinstance(body, Mapping) or not (number := api.identifier(body.get("id"))):
        return None
    content = b""
    for part in ("html_content", "plain_content"):
        content += _decoded(body.get(part))
    headers = body.get("headers")
    found = _MESSAGE_ID.search(headers) if isinstance(headers, str) else None
    marks = frozenset(match.decode().lower() for match in _MARK.findall(content))
    return Sent(number, marks, found[1] if found else "")


def _decoded(content: object) -> bytes:
    if not isinstance(content, str):
        return b""
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        return content.encode(errors="replace")
