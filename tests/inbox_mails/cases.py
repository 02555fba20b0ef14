"""How the mails of this folder are written down: all of them ours, in the known formats of mail systems."""

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass

from truesend.inbox.incoming import Kind

SENDER = "ana@example.com"
BO = "bo.berg@example.org"
CY = "cy+list@mail.example.net"
ORIGINAL = f"""Received: from [192.0.2.7] by mx.example.com; Tue, 3 Nov 2026 09:00:00 +0000
From: Ana <{SENDER}>
To: Bo <{BO}>
Subject: Hello
Message-ID: <sent-1@example.com>
X-Truesend-Delivery: 0b7c6d5e-0000-4000-8000-000000000001
Date: Tue, 3 Nov 2026 09:00:00 +0000

Hello Bo, the address no-such-user@example.net bounced: 550 5.1.1 user unknown.
"""


@dataclass(frozen=True)
class Case:
    """A mail and what is to be read in it."""

    name: str
    raw: str
    kind: Kind = Kind.BOUNCE
    failed: tuple[tuple[str, bool], ...] = ((BO, True),)
    """Address and hardness of each recipient, in any order."""
    reason: str = ""
    """Of the first one; not looked at where empty."""
    sender: bool = False
    """It is about the sender."""


def mail(
    body: str, *, sender: str, subject: str, to: str = SENDER, more: str = "", charset: str = "utf-8"
) -> str:
    """A mail of one part, as text."""
    return (
        f"From: {sender}\nTo: {to}\nSubject: {subject}\nDate: Tue, 3 Nov 2026 10:00:00 +0000\n"
        f"Message-ID: <bounce-1@example.net>\n{more}MIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset={charset}\n\n{body}"
    )


def parted(*parts: tuple[str, str], sender: str, subject: str, kind: str = "mixed", more: str = "") -> str:
    """A mail of several: pairs of content type (and further header lines) and content."""
    inside = "".join(f"--cut\nContent-Type: {head}\n\n{content}\n" for head, content in parts)
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: {SENDER}\nSubject: {subject}\nDate: Tue, 3 Nov 2026 10:00:00 +0000\n"
        f"Message-ID: <bounce-1@example.net>\n{more}MIME-Version: 1.0\n"
        f'Content-Type: multipart/{kind}; boundary="cut"\n\n{inside}--cut--\n'
    )


def report(
    text: str, fields: str, *, sender: str, subject: str, original: str = ORIGINAL, more: str = ""
) -> str:
    """A report as RFC 3464 has it."""
    return parted(
        ("text/plain; charset=utf-8", text),
        ("message/delivery-status", f"Reporting-MTA: dns; mx.example.net\n\n{fields}\n"),
        ("message/rfc822", original),
        sender=sender,
        subject=subject,
        kind="report; report-type=delivery-status",
        more=more,
    )


def as_html(text: str) -> str:
    """The same words in the tables that a provider's notice is made of."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    rows = "".join(
        f"<tr><td style='padding:8px'>{line or '&nbsp;'}</td></tr>\n" for line in escaped.split("\n")
    )
    return f"<html><head><style>td {{color: red}}</style></head><body><table>\n{rows}</table></body></html>"


def in_base64(text: str, charset: str = "utf-8") -> str:
    return base64.encodebytes(text.encode(charset)).decode("ascii")


def in_quoted_printable(text: str, charset: str = "utf-8") -> str:
    return quopri.encodestring(text.encode(charset)).decode("ascii")
