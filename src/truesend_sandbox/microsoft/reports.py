"""Exchange's non-delivery reports (microsoft.md, NDR): an ordinary message in the sender's Inbox."""

from __future__ import annotations

import html
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truesend_sandbox.mailbox.answers import about_of, line_of
from truesend_sandbox.mailbox.headers import Mail

_LIMIT = "Your message can't be sent because you've reached your daily limit for message recipients"


@dataclass(frozen=True)
class Report:
    """What a report says of each of its recipients."""

    title: str
    words: str
    action: str
    status: str
    diagnostic: str


def postmaster(domain: str) -> str:
    """Who writes reports to a mailbox of that domain."""
    if domain in ("outlook.com", "hotmail.com", "live.com"):
        return "postmaster@outlook.com"
    tenant = domain.partition(".")[0]
    return f"MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{tenant}.onmicrosoft.com"


def render(original: Mail, sender: str, recipients: Sequence[str], now: str, report: Report) -> bytes:
    """multipart/report with the human text, the delivery status of each recipient, and the original's headers."""
    edge = secrets.token_hex(16)
    number = original.get("message-id") or ""
    earlier = original.get("references")
    author = postmaster(sender.partition("@")[2])
    shown = "".join(f"<p>{html.escape(report.words)}</p><p>{html.escape(one)}</p>" for one in recipients)
    status = "\r\n".join(
        f"Final-Recipient: rfc822;{one}\r\nAction: {report.action}\r\nStatus: {report.status}\r\n"
        f"Diagnostic-Code: smtp;{report.diagnostic}\r\nX-Display-Name: {one}\r\n"
        for one in recipients
    )
    headers = "".join(f"{name}: {value}\r\n" for name, value in original.pairs() if name.lower() != "bcc")
    lines = [
        f"From: Microsoft Outlook <{author}>",
        f"To: {sender}",
        f"Subject: {report.title}: {original.get('subject') or ''}",
        f"Date: {now}",
        f"Message-ID: <{secrets.token_hex(16)}@{author.partition('@')[2]}>",
        f"In-Reply-To: {number}",
        f"References: {' '.join(part for part in (earlier, number) if part)}",
        "Auto-Submitted: auto-replied",
        "X-MS-Exchange-Message-Is-Ndr:",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{edge}"',
        "",
        f"--{edge}",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        f"<html><body>{shown}</body></html>",
        f"--{edge}",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns;EURPRD01.prod.outlook.com",
        f"Arrival-Date: {now}",
        "",
        status.rstrip("\r\n"),
        "",
        f"--{edge}",
        "Content-Type: text/rfc822-headers",
        "",
        headers.rstrip("\r\n"),
        "",
        f"--{edge}--",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def limit_report(original: Mail, sender: str, recipients: Sequence[str], now: str) -> bytes:
    """What comes back above the day's limit of recipients (5.1.90)."""
    return render(
        original,
        sender,
        recipients,
        now,
        Report("Undeliverable", _LIMIT, "failed", "5.1.90", f"550 5.1.90 {_LIMIT}"),
    )


def acted(
    name: str, original: Mail, address: str, sender: str, now: str, wanted: Mapping[str, Any]
) -> tuple[str, bytes]:
    """The report that `act` asks for: `bounce`, of the recipient or of the sender's own limit, or `delay`."""
    if name == "delay":
        status = line_of(wanted, "status", "4.4.7")
        report = Report(
            "Delivery delayed",
            "Delivery to this recipient has been delayed. No action is required on your part.",
            "delayed",
            status,
            line_of(wanted, "diagnostic", f"451 {status} Message delayed"),
        )
    elif about_of(wanted) == "sender":
        status = line_of(wanted, "status", "5.1.90")
        diagnostic = line_of(wanted, "diagnostic", f"550 {status} {_LIMIT}")
        report = Report("Undeliverable", _LIMIT, "failed", status, diagnostic)
    else:
        status = line_of(wanted, "status", "5.1.1")
        diagnostic = line_of(
            wanted, "diagnostic", f"550 {status} <{address}>: Recipient address rejected: User unknown"
        )
        words = "Your message couldn't be delivered: the recipient wasn't found at its domain."
        report = Report("Undeliverable", words, "failed", status, diagnostic)
    raw = render(original, sender, [address], now, report)
    return postmaster(sender.partition("@")[2]), raw
