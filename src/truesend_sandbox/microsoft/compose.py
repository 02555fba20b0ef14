"""Graph's JSON of a message becomes MIME, as Exchange makes it."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from email.header import Header
from email.utils import formataddr
from typing import Any
from urllib.parse import quote

from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft.mail_store import Kept

_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_LINE = re.compile(r"[\r\n]")
RECIPIENTS = {"toRecipients": "To", "ccRecipients": "Cc", "bccRecipients": "Bcc", "replyTo": "Reply-To"}
_SINGLE = {"from": "From", "sender": "Sender"}
_RECEIPTS = {
    "isDeliveryReceiptRequested": "Return-Receipt-To",
    "isReadReceiptRequested": "Disposition-Notification-To",
}
IMPORTANCE = ("low", "normal", "high")
WRITABLE = frozenset(
    {
        *RECIPIENTS,
        *_SINGLE,
        "subject",
        "body",
        "importance",
        "internetMessageHeaders",
        "internetMessageId",
        "attachments",
        "singleValueExtendedProperties",
        "categories",
        "isRead",
        "isDeliveryReceiptRequested",
        "isReadReceiptRequested",
    }
)
"""Properties of a message that may be set."""
_READ_ONLY = frozenset(
    {
        *("id", "changeKey", "createdDateTime", "lastModifiedDateTime", "bodyPreview", "conversationId"),
        *("conversationIndex", "hasAttachments", "isDraft", "parentFolderId", "receivedDateTime"),
        *("sentDateTime", "uniqueBody", "webLink", "flag", "inferenceClassification"),
    }
)
"""Known and without effect when given."""


class Refused(ValueError):
    """Graph refuses the JSON: `code` and the message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_names(given: Mapping[str, Any]) -> None:
    """Raises `Refused` for a property that a message does not have."""
    for name in given:
        if name not in WRITABLE and name not in _READ_ONLY and "@" not in name:
            raise Refused(
                "RequestBodyRead",
                f"The property '{name}' does not exist on type 'microsoft.graph.message'. Make sure to only use"
                " property names that are defined by the type.",
            )


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(
            "RequestBodyRead", f"Cannot convert the literal '{value}' to the expected type 'Edm.String'."
        )
    return value


def _one_line(given: Mapping[str, Any], name: str) -> str:
    return _LINE.sub(" ", _text(given, name))


def address_of(value: object) -> str:
    """`Name <address>` of a recipient. Raises `Refused`."""
    inner = value.get("emailAddress") if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping):
        raise Refused("ErrorInvalidRecipients", "At least one recipient isn't valid.")
    address, name = _one_line(inner, "address").strip(), _one_line(inner, "name").strip()
    if not _ADDRESS.fullmatch(address):
        raise Refused("ErrorInvalidRecipients", "At least one recipient isn't valid.")
    return formataddr((name, address)) if name and name != address else address


def _list(given: Mapping[str, Any], name: str) -> list[Any]:
    value = given.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused("RequestBodyRead", f"The property '{name}' must be a collection.")
    return value


def encoded(text: str) -> str:
    """A header's text, in encoded words where it is not ASCII."""
    return text if text.isascii() else Header(text, "utf-8").encode(linesep="\r\n")


def build(given: Mapping[str, Any], *, custom_headers: int) -> tuple[Mail, Kept]:
    """A new message from JSON, and what it has besides its MIME. Raises `Refused`."""
    check_names(given)
    mail, kept = Mail([], b""), Kept()
    mail.set("MIME-Version", "1.0")
    set_headers(mail, kept, given)
    _set_custom(mail, given, custom_headers)
    body = given.get("body") if isinstance(given.get("body"), Mapping) else {}
    files = [attachment(value) for value in _list(given, "attachments")]
    set_body(mail, body or {}, files)
    return mail, kept


def set_headers(mail: Mail, kept: Kept, given: Mapping[str, Any]) -> None:
    """Write those properties that are headers, or stand beside the MIME. Raises `Refused`."""
    if "subject" in given:
        mail.set("Subject", encoded(_one_line(given, "subject")))
    for name, header in RECIPIENTS.items():
        if name in given:
            people = [address_of(value) for value in _list(given, name)]
            mail.remove(header.lower())
            if people:
                mail.set(header, ", ".join(people))
    for name, header in _SINGLE.items():
        if given.get(name) is not None:
            mail.set(header, address_of(given[name]))
            kept.named = True
    if given.get("internetMessageId"):
        mail.set("Message-ID", _one_line(given, "internetMessageId").strip())
    if "importance" in given:
        _set_importance(mail, _text(given, "importance"))
    for name, header in _RECEIPTS.items():
        if name in given:
            mail.remove(header.lower())
            if given[name] is True:
                mail.set(header, "sender")
    _set_beside(kept, given)


def _set_importance(mail: Mail, level: str) -> None:
    if level.lower() not in IMPORTANCE:
        raise Refused("RequestBodyRead", f"Requested value '{level}' was not found.")
    mail.remove("importance")
    if level.lower() != "normal":
        mail.set("Importance", level.lower())


def _set_beside(kept: Kept, given: Mapping[str, Any]) -> None:
    """Properties that no header of the mail carries."""
    if "categories" in given:
        kept.categories = [str(value) for value in _list(given, "categories")]
    if isinstance(given.get("isRead"), bool):
        kept.is_read = given["isRead"]
    for value in _list(given, "singleValueExtendedProperties"):
        if not isinstance(value, Mapping) or not isinstance(value.get("id"), str):
            raise Refused(
                "ErrorInvalidExtendedProperty", "The extended property attribute combination is invalid."
            )
        kept.properties[value["id"]] = _text(value, "value")


def _set_custom(mail: Mail, given: Mapping[str, Any], most: int) -> None:
    values = _list(given, "internetMessageHeaders")
    if len(values) > most:
        raise Refused(
            "InvalidInternetMessageHeaderCollection",
            f"Maximum number of headers in one message should be less than or equal to {most}.",
        )
    for value in values:
        name = _one_line(value, "name").strip() if isinstance(value, Mapping) else ""
        if name[:2].lower() != "x-" or not re.fullmatch(r"[!-9;-~]+", name):
            raise Refused(
                "InvalidInternetMessageHeader",
                f"The internet message header name '{name}' should start with 'x-' or 'X-'.",
            )
        mail.fields.append((name.lower(), f"{name}: {encoded(_one_line(value, 'value'))}\r\n".encode()))


def attachment(value: object) -> bytes:
    """A file as a MIME part. Raises `Refused` for another kind, or for content that is no base64."""
    given: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    if given.get("@odata.type") != "#microsoft.graph.fileAttachment":
        raise Refused("ErrorInvalidRequest", "The attachment must be a #microsoft.graph.fileAttachment.")
    try:
        data = base64.b64decode(_text(given, "contentBytes"), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(
            "RequestBodyRead", "Cannot convert the value of 'contentBytes' to 'Edm.Binary'."
        ) from None
    return file_part(
        _one_line(given, "name"),
        _one_line(given, "contentType"),
        data,
        content_id=_one_line(given, "contentId"),
        inline=given.get("isInline") is True,
    )


def file_part(name: str, kind: str, data: bytes, *, content_id: str, inline: bool) -> bytes:
    """A file as it stands between boundaries."""
    name = re.sub(r'["\\]', "_", name) or "attachment"
    kind = kind or "application/octet-stream"
    how = "inline" if inline else "attachment"
    shown = f'filename="{name}"' if name.isascii() else f"filename*=utf-8''{quote(name)}"
    head = f"Content-Type: {kind}\r\nContent-Disposition: {how}; {shown}\r\n"
    if content_id:
        head += f"Content-ID: <{content_id}>\r\n"
    return f"{head}Content-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(data).replace(
        b"\n", b"\r\n"
    )


def set_body(mail: Mail, body: Mapping[str, Any], parts: list[bytes]) -> None:
    """Write the text and the parts beside it; what the mail had of them goes."""
    kind = (_text(body, "contentType") or "text").lower()
    if kind not in ("text", "html"):
        raise Refused("RequestBodyRead", f"Requested value '{body.get('contentType')}' was not found.")
    words = base64.encodebytes(_text(body, "content").encode()).replace(b"\n", b"\r\n")
    inner = "text/html" if kind == "html" else "text/plain"
    for name in ("content-type", "content-transfer-encoding", "content-disposition", "content-id"):
        mail.remove(name)
    if not parts:
        mail.set("Content-Type", f"{inner}; charset=utf-8")
        mail.set("Content-Transfer-Encoding", "base64")
        mail.body = words
        return
    edge = f"_000_{secrets.token_hex(16)}_"
    mail.set("Content-Type", f'multipart/mixed; boundary="{edge}"')
    head = f"Content-Type: {inner}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
    pieces = [head + words, *parts]
    mail.body = (
        b"".join(f"--{edge}\r\n".encode() + piece + b"\r\n" for piece in pieces) + f"--{edge}--\r\n".encode()
    )


_CONTENT_FIELDS = ("content-type", "content-transfer-encoding", "content-disposition", "content-id")


def add_part(mail: Mail, part: bytes) -> None:
    """Put one more file behind what the mail is, which stays as it came."""
    inner = b"".join(field for name, field in mail.fields if name in _CONTENT_FIELDS)
    whole = inner + b"\r\n" + mail.body
    found = re.search(
        r'multipart/mixed;.*?boundary="?([^";]+)"?', mail.get("content-type") or "", re.IGNORECASE
    )
    closing = f"--{found[1]}--".encode() if found else b""
    if closing and (at := mail.body.rfind(closing)) >= 0:
        mail.body = mail.body[:at] + closing[:-2] + b"\r\n" + part + b"\r\n" + mail.body[at:]
        return
    edge = f"_000_{secrets.token_hex(16)}_"
    for name in _CONTENT_FIELDS:
        mail.remove(name)
    mail.set("Content-Type", f'multipart/mixed; boundary="{edge}"')
    mail.body = (
        b"".join(f"--{edge}\r\n".encode() + piece + b"\r\n" for piece in (whole, part))
        + f"--{edge}--\r\n".encode()
    )
