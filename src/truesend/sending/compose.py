"""From an email to the bytes that leave. Pure; MIME by the standard library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from truesend.sending.addresses import Mailbox

MARK_HEADER = "X-Truesend-Delivery"


@dataclass(frozen=True)
class File:
    """An attachment."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Letter:
    """One delivery, with its HTML already rewritten."""

    delivery: UUID
    sender: Mailbox
    to: Sequence[Mailbox]
    cc: Sequence[Mailbox]
    bcc: Sequence[Mailbox]
    subject: str
    html: str
    text: str
    files: Sequence[File]
    date: datetime


def compose(letter: Letter) -> bytes:
    """The whole message. The HTML part carries exactly the bytes of ``letter.html`` (base64, no folding)."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=200))
    message["From"] = letter.sender.header()
    for name, people in (("To", letter.to), ("Cc", letter.cc), ("Bcc", letter.bcc)):
        if people:
            message[name] = [person.header() for person in people]
    message["Subject"] = one_line(letter.subject)
    message["Date"] = format_datetime(letter.date)
    message[MARK_HEADER] = str(letter.delivery)
    message.set_content(letter.text, cte="base64" if not letter.text.isascii() else None)
    if letter.html:
        message.add_alternative(letter.html.encode(), maintype="text", subtype="html", cte="base64")
        for part in message.iter_parts():
            if part.get_content_subtype() == "html":
                part.set_param("charset", "utf-8")
    for file in letter.files:
        main, _, sub = file.content_type.partition("/")
        message.add_attachment(
            file.content,
            maintype=main or "application",
            subtype=sub or "octet-stream",
            filename=one_line(file.name) or "attachment",
            cte="base64",
        )
    return message.as_bytes()


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters, which could smuggle in a header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
