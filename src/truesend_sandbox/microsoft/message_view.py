"""A kept message as Graph shows it: the `message` resource (metadata: msgraph v1.0 $metadata, mail part)."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Any
from urllib.parse import quote

from truesend_sandbox.mailbox import content
from truesend_sandbox.mailbox.headers import Mail, decoded
from truesend_sandbox.microsoft import mail_store, parts
from truesend_sandbox.microsoft.moments import moment
from truesend_sandbox.store import Row

_TAG = re.compile(r"<(style|script|head)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_ONLY_SELECTED = ("internetMessageHeaders", "uniqueBody")
_NULLABLE = ("sender", "from")
_NOT_BASIC = frozenset({"body", "bodyPreview", "uniqueBody", "hasAttachments", "internetMessageHeaders"})
"""Not shown to Mail.ReadBasic: body, preview, attachments, extended properties (permissions reference)."""


@dataclass(frozen=True)
class View:
    """How an answer wants messages: `select` None is the default set, `expand` holds property ids."""

    immutable: bool
    basic_only: bool
    select: tuple[str, ...] | None = None
    expand: tuple[str, ...] = ()
    with_attachments: bool = False
    headers_of_sent: bool = False
    text_body: bool = False
    """`Prefer: outlook.body-content-type="text"`."""


def people(mail: Mail, name: str) -> list[dict[str, Any]]:
    """The addresses of a header as recipients; without a name the address stands for it."""
    pairs = getaddresses(mail.all(name))
    return [
        {"emailAddress": {"name": decoded(shown) or address, "address": address}}
        for shown, address in pairs
        if "@" in address
    ]


def plain(shown: content.Content) -> str:
    """The words of a mail without its tags."""
    if shown.html is None:
        return shown.text or ""
    return html.unescape(_TAG.sub(" ", shown.html))


def change_key(row: Row) -> str:
    """Changes with every change of the message."""
    digest = hashlib.sha256(f"{row['seq']}:{row['version']}".encode()).digest()
    return f"CQAAABYAAAD{base64.b64encode(digest[:18]).decode()}"


def resource(row: Row, view: View) -> dict[str, Any]:
    """The message with the properties that the view wants."""
    mail = Mail.parse(bytes(row["raw"]))
    shown = content.read(bytes(row["raw"]))
    kept = mail_store.kept_of(row)
    number = row["immutable"] if view.immutable else row["item"]
    words = plain(shown)
    kind = "text" if view.text_body or shown.html is None else "html"
    body = {"contentType": kind, "content": words if kind == "text" else shown.html}
    whole: dict[str, Any] = {
        "id": number,
        "createdDateTime": moment(row["created_at"]),
        "lastModifiedDateTime": moment(row["changed_at"]),
        "changeKey": change_key(row),
        "categories": kept.categories,
        "receivedDateTime": moment(row["received_at"]),
        "sentDateTime": moment(row["sent_at"]),
        "hasAttachments": bool(row["attached"]),
        "internetMessageId": row["rfc_id"],
        "subject": row["subject"],
        "bodyPreview": " ".join(words.split())[:255],
        "importance": (mail.get("importance") or "normal").lower(),
        "parentFolderId": mail_store.folder_id(row["account_id"], row["folder"]),
        "conversationId": row["conversation"],
        "conversationIndex": _conversation_index(row),
        "isDeliveryReceiptRequested": mail.get("return-receipt-to") is not None,
        "isReadReceiptRequested": mail.get("disposition-notification-to") is not None,
        "isRead": bool(row["is_read"]),
        "isDraft": bool(row["draft"]),
        "webLink": f"https://outlook.office365.com/owa/?ItemID={quote(number)}&exvsurl=1&viewmodel=ReadMessageItem",
        "inferenceClassification": "focused",
        "body": body,
        "uniqueBody": body,
        **_senders(mail),
        "toRecipients": people(mail, "to"),
        "ccRecipients": people(mail, "cc"),
        "bccRecipients": people(mail, "bcc"),
        "replyTo": people(mail, "reply-to"),
        "flag": {"flagStatus": "notFlagged"},
        "internetMessageHeaders": _headers(row, mail, view),
    }
    if view.select is None:
        names: Sequence[str] = [name for name in whole if name not in _ONLY_SELECTED]
    else:
        names = ["id", *(name for name in whole if name in view.select and name != "id")]
    found: dict[str, Any] = {"@odata.etag": f'W/"{change_key(row)}"'}
    found |= {
        name: whole[name]
        for name in names
        if (whole[name] is not None or name in _NULLABLE) and not (view.basic_only and name in _NOT_BASIC)
    }
    if view.expand and not view.basic_only:
        values = _expanded(kept.properties, view.expand)
        if values:
            found["singleValueExtendedProperties"] = values
    if view.with_attachments and not view.basic_only:
        found["attachments"] = parts.all_of(row)
    return found


def _conversation_index(row: Row) -> str:
    digest = hashlib.sha256(row["conversation"].encode()).digest()[:16]
    return base64.b64encode(b"\x01\x01" + digest + row["seq"].to_bytes(4, "big")).decode()


def _senders(mail: Mail) -> dict[str, Any]:
    author, sender = people(mail, "from"), people(mail, "sender")
    first, second = next(iter(author), None), next(iter(sender), None)
    return {"sender": second or first, "from": first}


def _headers(row: Row, mail: Mail, view: View) -> list[dict[str, str]] | None:
    """Of received mail all; of drafts and sent mail by the switch."""
    if row["folder"] in ("drafts", "sentitems") and not view.headers_of_sent:
        return None
    return [{"name": name, "value": value} for name, value in mail.pairs()]


def _expanded(properties: Mapping[str, str], wanted: Sequence[str]) -> list[dict[str, str]]:
    by_name = {name.lower(): (name, value) for name, value in properties.items()}
    found = [by_name[name.lower()] for name in wanted if name.lower() in by_name]
    return [{"id": name, "value": value} for name, value in found]


NAMES = frozenset(
    {
        *("id", "createdDateTime", "lastModifiedDateTime", "changeKey", "categories", "receivedDateTime"),
        *("sentDateTime", "hasAttachments", "internetMessageId", "subject", "bodyPreview", "importance"),
        *("parentFolderId", "conversationId", "conversationIndex", "isDeliveryReceiptRequested"),
        *("isReadReceiptRequested", "isRead", "isDraft", "webLink", "inferenceClassification", "body"),
        *("uniqueBody", "sender", "from", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "flag"),
        "internetMessageHeaders",
    }
)
"""Every property of a message that `$select` may name."""
