"""The mail Keap makes of a send: one for each contact, merge fields filled in, byte for byte otherwise."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from mimetypes import guess_type

from truesend_sandbox.keap.contact_fields import Data
from truesend_sandbox.mailbox.headers import Mail

_MERGE = re.compile(r"~(Contact|Owner)\.([A-Za-z0-9]+)~")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Content:
    """What a send carries, decoded. `files`: name and bytes."""

    subject: str
    html: str | None
    plain: str | None
    files: tuple[tuple[str, bytes], ...]


def merged(text: str, contact: Data, email: str, sender: tuple[str, str]) -> str:
    """The text with `~Contact.FirstName~` and the like filled in; a field nobody knows stays as it is."""
    given, _, family = sender[0].partition(" ")
    values = {
        ("Contact", "FirstName"): contact.get("given_name") or "",
        ("Contact", "LastName"): contact.get("family_name") or "",
        ("Contact", "Email"): email,
        ("Contact", "JobTitle"): contact.get("job_title") or "",
        ("Owner", "FirstName"): given,
        ("Owner", "LastName"): family,
        ("Owner", "Email"): sender[1],
    }
    return _MERGE.sub(lambda found: values.get((found[1], found[2]), found[0]), text)


def without_comments(html: str) -> str:
    """The HTML without its comments."""
    return _COMMENT.sub("", html)


def _base64(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return "".join(f"{text[start : start + 76]}\r\n" for start in range(0, len(text), 76))


def _part(kind: str, data: bytes, extra: str = "") -> str:
    return f"Content-Type: {kind}\r\n{extra}Content-Transfer-Encoding: base64\r\n\r\n{_base64(data)}"


def _joined(kind: str, parts: list[str]) -> str:
    edge = f"----=_Part_{secrets.token_hex(12)}"
    inside = "".join(f"--{edge}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{edge}"\r\n\r\n{inside}--{edge}--\r\n'


def _body(content: Content) -> str:
    texts = []
    if content.plain is not None or content.html is None:
        texts.append(_part("text/plain; charset=UTF-8", (content.plain or "").encode()))
    if content.html is not None:
        texts.append(_part("text/html; charset=UTF-8", content.html.encode()))
    body = texts[0] if len(texts) == 1 else _joined("alternative", texts)
    if not content.files:
        return body
    files = []
    for name, data in content.files:
        written = Header(name, "utf-8").encode() if not name.isascii() else name.replace('"', "'")
        extra = f'Content-Disposition: attachment; filename="{written}"\r\n'
        files.append(_part(guess_type(name)[0] or "application/octet-stream", data, extra))
    return _joined("mixed", [body, *files])


def mail(content: Content, *, sender: tuple[str, str], to: tuple[str, str], now: float) -> Mail:
    """The mail as it arrives. `sender` and `to` are name and address."""
    subject = re.sub(r"[\r\n]+", " ", content.subject)
    head = [
        ("Return-Path", f"<bounce-{secrets.token_hex(6)}@infusionmail.com>"),
        ("From", formataddr(sender)),
        ("To", formataddr(to)),
        ("Subject", subject if subject.isascii() else Header(subject, "utf-8").encode(linesep="\r\n")),
        ("Date", format_datetime(datetime.fromtimestamp(now, UTC))),
        ("Message-ID", f"<{secrets.token_hex(16)}@infusionmail.com>"),
        ("MIME-Version", "1.0"),
    ]
    text = "".join(f"{name}: {value}\r\n" for name, value in head) + _body(content)
    return Mail.parse(text.encode())
