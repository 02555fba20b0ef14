"""A stored mail as the Gmail API shows it: the four formats of `messages.get`."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator, Sequence
from email import policy
from email.message import Message as Parsed
from email.parser import BytesParser
from typing import Any

from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.store import Row

_PARSER = BytesParser(policy=policy.compat32)


def base64url(data: bytes) -> str:
    """Bytes as Gmail writes them, padding included."""
    return base64.urlsafe_b64encode(data).decode()


def snippet(parsed: Parsed) -> str:
    """The first words of the text, HTML-escaped as Gmail does."""
    for part in parsed.walk():
        if part.get_content_type() in ("text/plain", "text/html"):
            payload = part.get_payload(decode=True)
            text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
            if part.get_content_type() == "text/html":
                text = html.unescape(re.sub(r"<(style|head)\b.*?</\1>|<[^>]*>", " ", text, flags=re.S | re.I))
            return html.escape(" ".join(text.split())[:200])
    return ""


def resource(row: Row, shape: str, names: Sequence[str] = ()) -> dict[str, Any]:
    """The Message resource in `full`, `metadata`, `minimal` or `raw`."""
    raw = bytes(row["raw"])
    parsed = _PARSER.parsebytes(raw)
    body: dict[str, Any] = {
        "id": row["id"],
        "threadId": row["thread_id"],
        "labelIds": row["labels"].split(),
        "snippet": snippet(parsed),
        "historyId": str(row["history_id"]),
        "internalDate": str(int(row["at"] * 1000)),
        "sizeEstimate": row["size"],
    }
    if shape == "raw":
        body["raw"] = base64url(raw)
    elif shape == "metadata":
        wanted = {name.lower() for name in names}
        pairs = Mail.parse(raw).pairs()
        body["payload"] = {
            "mimeType": parsed.get_content_type(),
            "headers": [
                {"name": name, "value": value}
                for name, value in pairs
                if not wanted or name.lower() in wanted
            ],
        }
    elif shape == "full":
        body["payload"] = _part(parsed, "", row["id"])
    return body


def _part(parsed: Parsed, number: str, message_id: str) -> dict[str, Any]:
    filename = parsed.get_filename() or ""
    shown: dict[str, Any] = {
        "partId": number,
        "mimeType": parsed.get_content_type(),
        "filename": filename,
        "headers": [{"name": name, "value": " ".join(str(value).split())} for name, value in parsed.items()],
    }
    children = parsed.get_payload() if parsed.is_multipart() else []
    if isinstance(children, list) and children:
        shown["body"] = {"size": 0}
        prefix = f"{number}." if number else ""
        shown["parts"] = [
            _part(child, f"{prefix}{index}", message_id)
            for index, child in enumerate(children)
            if isinstance(child, Parsed)
        ]
        return shown
    data = parsed.get_payload(decode=True)
    content = data if isinstance(data, bytes) else b""
    shown["body"] = {"size": len(content)}
    if filename:
        shown["body"]["attachmentId"] = f"ANGjdJ{message_id}-{number or '0'}"
    else:
        shown["body"]["data"] = base64url(content)
    return shown


def _numbered(parsed: Parsed, number: str) -> Iterator[tuple[str, Parsed]]:
    children = parsed.get_payload() if parsed.is_multipart() else []
    yield number or "0", parsed
    if isinstance(children, list):
        prefix = f"{number}." if number else ""
        for index, child in enumerate(children):
            if isinstance(child, Parsed):
                yield from _numbered(child, f"{prefix}{index}")


def attachment(row: Row, attachment_id: str) -> bytes | None:
    """The bytes of an attachment named by `resource`; None when there is no such one."""
    _, _, number = attachment_id.rpartition("-")
    for known, part in _numbered(_PARSER.parsebytes(bytes(row["raw"])), ""):
        if known == number and part.get_filename():
            data = part.get_payload(decode=True)
            return data if isinstance(data, bytes) else None
    return None
