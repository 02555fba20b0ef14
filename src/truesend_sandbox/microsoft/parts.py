"""The files inside a mail, and the `fileAttachment` resource that shows one."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from email.message import Message as Parsed
from email.parser import BytesParser
from email.policy import compat32
from typing import Any

from truesend_sandbox.mailbox import content
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft.moments import moment
from truesend_sandbox.store import Row

_PARSER = BytesParser(policy=compat32)


@dataclass(frozen=True)
class File:
    """A part of a mail that is not its text."""

    part: Parsed
    data: bytes

    @property
    def name(self) -> str:
        return self.part.get_filename() or self.part.get_content_type()

    def rendered(self) -> bytes:
        """The part as it stands between boundaries."""
        return self.part.as_bytes(policy=compat32.clone(linesep="\r\n"))


def files_of(raw: bytes) -> list[File]:
    """The files of a mail in order; its first HTML and first plain text are its body."""
    seen: set[str] = set()
    found: list[File] = []
    for part in _PARSER.parsebytes(raw).walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        if kind in ("text/html", "text/plain") and not part.get_filename() and kind not in seen:
            seen.add(kind)
            continue
        payload = part.get_payload(decode=True)
        found.append(File(part, payload if isinstance(payload, bytes) else b""))
    return found


def parts_of(mail: Mail) -> list[bytes]:
    """The files as MIME parts, to stand beside another text."""
    return [file.rendered() for file in files_of(mail.render())]


def body_of(mail: Mail) -> dict[str, str]:
    """The text of a mail as Graph's `body`."""
    shown = content.read(mail.render())
    if shown.html is not None:
        return {"contentType": "html", "content": shown.html}
    return {"contentType": "text", "content": shown.text or ""}


def _id(row: Row, index: int) -> str:
    digest = hashlib.sha512(f"attachment:{row['seq']}:{index}".encode()).digest()
    return f"AAMkAD{base64.urlsafe_b64encode(digest).decode().rstrip('=')}="


def resource(row: Row, index: int, file: File) -> dict[str, Any]:
    """The `fileAttachment` resource."""
    number = (file.part.get("Content-ID") or "").strip("<> ")
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "@odata.mediaContentType": file.part.get_content_type(),
        "id": _id(row, index),
        "lastModifiedDateTime": moment(row["changed_at"]),
        "name": file.name,
        "contentType": file.part.get_content_type(),
        "size": len(file.data),
        "isInline": file.part.get_content_disposition() == "inline",
        "contentId": number or None,
        "contentLocation": None,
        "contentBytes": base64.b64encode(file.data).decode(),
    }


def all_of(row: Row) -> list[dict[str, Any]]:
    """The resources of all files of a message."""
    return [resource(row, index, file) for index, file in enumerate(files_of(bytes(row["raw"])))]
