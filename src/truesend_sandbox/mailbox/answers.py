"""Mail that comes back: replies, automatic answers, bounces and delays.

Reports have the form of the sender's provider where it has one of its own, else Gmail's.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime, parseaddr, parsedate_to_datetime
from typing import Any

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.mailbox import content
from truesend_sandbox.mailbox.deliver import deliver
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

KEYS: Mapping[str, frozenset[str]] = {
    "reply": frozenset(
        {"text", "html", "quote", "from", "subject", "references", "cc", "back_to", "utc_offset"}
    ),
    "auto_reply": frozenset({"text", "subject", "from", "references"}),
    "bounce": frozenset({"status", "diagnostic", "about"}),
    "delay": frozenset({"status", "diagnostic"}),
}
_BY_PEOPLE = frozenset({"reply", "auto_reply"})
_DAEMON = "mailer-daemon@googlemail.com"


def _text(wanted: Mapping[str, Any], name: str, default: str) -> str:
    value = wanted.get(name, default)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text")
    return value


def line_of(wanted: Mapping[str, Any], name: str, default: str) -> str:
    """A text of one line among the wishes, or the default. Raises `ValueError`."""
    value = _text(wanted, name, default)
    if "\r" in value or "\n" in value:
        raise ValueError(f"{name} must be one line")
    return value


def _author(wanted: Mapping[str, Any], address: str) -> str:
    """Who answers, as `From` spells it: the recipient, or whoever is asked for. Raises `ValueError`."""
    author = line_of(wanted, "from", address)
    if "@" not in parseaddr(author)[1]:
        raise ValueError("from must be an address, with or without a name")
    return author


def _people(wanted: Mapping[str, Any], name: str) -> list[str]:
    listed = wanted.get(name, [])
    if not isinstance(listed, list):
        raise ValueError(f"{name} must be a list of addresses")
    return [normal_address(one) for one in listed]


def write(world: World, row: Row, address: str, name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Write the answer of `address` to that arrival and deliver it to its sender."""
    original = Mail.parse(bytes(row["raw"]))
    author = _author(wanted, address)
    spec = world.providers.get(row["provider"])
    if name == "bounce" and wanted.get("about", "recipient") == "recipient" and spec and spec.returned:
        status = line_of(wanted, "status", "5.1.1")
        if spec.returned(world, row["id"], address, status):
            return {"message": None, "delivered_to": []}
    back_to = (original.addresses("reply-to") if name == "reply" else []) or [row["sender"]]
    back_to = _people(wanted, "back_to") or [*back_to, *_people(wanted, "cc")]
    now = format_datetime(datetime.fromtimestamp(world.clock.now(), UTC))
    if name in ("bounce", "delay") and spec is not None and spec.report is not None:
        sender, raw = spec.report(name, original, address, row["sender"], now, wanted)
    else:
        writer = {"reply": _reply, "auto_reply": _auto_reply, "bounce": _bounce, "delay": _delay}[name]
        sender, raw = writer(original, author if name in _BY_PEOPLE else address, row["sender"], now, wanted)
    sender = parseaddr(sender)[1].lower()
    number = deliver(world, provider="mail", sender=sender, recipients=back_to, mail=Mail.parse(raw))
    return {"message": str(number), "delivered_to": back_to}


def _fields(**values: str | None) -> str:
    """Header lines; `In_Reply_To` stands for `In-Reply-To`."""
    return "".join(
        f"{name.replace('_', '-')}: {value}\r\n" for name, value in values.items() if value is not None
    )


def _thread(original: Mail, wanted: Mapping[str, Any] | None = None) -> dict[str, str | None]:
    """`In-Reply-To` and `References`; none of both where `references` is false, as some programs write."""
    named = (wanted or {}).get("references", True)
    if not isinstance(named, bool):
        raise ValueError("references must be true or false")
    if not named:
        return {}
    number = original.get("message-id")
    earlier = original.get("references")
    return {
        "In_Reply_To": number,
        "References": " ".join(part for part in (earlier, number) if part) or None,
    }


def _encoded(text: str) -> str:
    """A header's text, as encoded words where it is not plain."""
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=900).encode()


def _again(subject: str) -> str:
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}"


def _dated(now: str, wanted: Mapping[str, Any]) -> str:
    """The moment on a clock as far from UTC as `utc_offset` says: "+0900", also one that no place has, or "-0000"."""
    offset = line_of(wanted, "utc_offset", "+0000")
    found = re.fullmatch(r"([+-])(\d\d)(\d\d)", offset)
    if found is None:
        raise ValueError("utc_offset must be like +0900")
    away = timedelta(hours=int(found[2]), minutes=int(found[3])) * (-1 if found[1] == "-" else 1)
    there = parsedate_to_datetime(now) + away
    return f"{format_datetime(there).rpartition(' ')[0]} {offset}"


def _reply(
    original: Mail, address: str, sender: str, now: str, wanted: Mapping[str, Any]
) -> tuple[str, bytes]:
    """A person's answer; `quote` (default true) carries the original below, marks and pixel included.

    `from` is another address than the recipient's, `utc_offset` that of its `Date`, `cc` who gets it besides, `back_to`
    who gets it instead.
    """
    words = _text(wanted, "text", "Thank you, that works for me.")
    body = _text(wanted, "html", f"<div>{html.escape(words)}</div>")
    quote = wanted.get("quote", True)
    if not isinstance(quote, bool):
        raise ValueError("quote must be true or false")
    if quote:
        shown = content.read(original.render())
        quoted = shown.html or f"<pre>{html.escape(shown.text or '')}</pre>"
        body += (
            f'<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On {html.escape(now)},'
            f" {html.escape(sender)} wrote:<br></div>"
            f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;'
            f'padding-left:1ex">{quoted}</blockquote></div>'
        )
    edge = secrets.token_hex(14)
    head = _fields(
        MIME_Version="1.0",
        From=address,
        To=sender,
        Subject=_encoded(line_of(wanted, "subject", _again(original.get("subject") or ""))),
        Date=_dated(now, wanted),
        Message_ID=f"<CA{secrets.token_urlsafe(36)}@mail.gmail.com>",
        **_thread(original, wanted),
        Content_Type=f'multipart/alternative; boundary="{edge}"',
    )
    parts = "".join(
        f"--{edge}\r\nContent-Type: {kind}; charset=UTF-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
        for kind, text in (("text/plain", words), ("text/html", body))
    )
    return address, f"{head}\r\n{parts}--{edge}--\r\n".encode()


def _auto_reply(
    original: Mail, address: str, sender: str, now: str, wanted: Mapping[str, Any]
) -> tuple[str, bytes]:
    """An absence note with the marks of RFC 3834."""
    subject = line_of(wanted, "subject", f"Automatic reply: {original.get('subject') or ''}")
    words = _text(wanted, "text", "I am out of the office until Monday.")
    head = _fields(
        MIME_Version="1.0",
        From=address,
        To=sender,
        Subject=_encoded(subject),
        Date=now,
        Message_ID=f"<{secrets.token_hex(16)}@{parseaddr(address)[1].partition('@')[2]}>",
        **_thread(original, wanted),
        Auto_Submitted="auto-replied",
        X_Auto_Response_Suppress="All",
        Precedence="auto_reply",
        Content_Type="text/plain; charset=UTF-8",
        Content_Transfer_Encoding="8bit",
    )
    return address, f"{head}\r\n{words}\r\n".encode()


def about_of(wanted: Mapping[str, Any]) -> str:
    """Whom a failure speaks of: `recipient` or `sender`. Raises `ValueError`."""
    about = wanted.get("about", "recipient")
    if about not in ("recipient", "sender"):
        raise ValueError("about must be recipient or sender")
    return str(about)


def _bounce(
    original: Mail, address: str, sender: str, now: str, wanted: Mapping[str, Any]
) -> tuple[str, bytes]:
    """A failure; `about: sender` is Gmail's word about the account's own limit [GK]."""
    if about_of(wanted) == "sender":
        words = (
            "You have reached a limit for sending mail. Your message was not sent.\r\n\r\n"
            "Learn more at https://support.google.com/mail/answer/22839"
        )
        status = line_of(wanted, "status", "5.4.5")
        diagnostic = line_of(wanted, "diagnostic", "550 5.4.5 Daily user sending limit exceeded.")
    else:
        words = (
            f"Your message wasn't delivered to {address} because the address couldn't be found, or is unable"
            " to receive mail."
        )
        status = line_of(wanted, "status", "5.1.1")
        diagnostic = line_of(
            wanted,
            "diagnostic",
            f"550 {status} <{address}>: Recipient address rejected: User unknown in relay recipient table",
        )
    return _DAEMON, _report(original, address, sender, now, (words, "Failure", "failed", status, diagnostic))


def _delay(
    original: Mail, address: str, sender: str, now: str, wanted: Mapping[str, Any]
) -> tuple[str, bytes]:
    """Not yet delivered, still trying [GK]."""
    words = (
        f"There was a temporary problem delivering your message to {address}. Gmail will retry for 45 more"
        " hours. You'll be notified if the delivery fails permanently."
    )
    status = line_of(wanted, "status", "4.4.1")
    diagnostic = line_of(wanted, "diagnostic", "The recipient server did not accept our requests to connect.")
    return _DAEMON, _report(original, address, sender, now, (words, "Delay", "delayed", status, diagnostic))


def _report(
    original: Mail, address: str, sender: str, now: str, report: tuple[str, str, str, str, str]
) -> bytes:
    """multipart/report as googlemail.com writes it (google.md §3)."""
    words, title, action, status, diagnostic = report
    domain = address.partition("@")[2]
    outer, inner, texts = (f"000000000000{secrets.token_hex(8)}" for _ in range(3))
    head = _fields(
        Return_Path="<>",
        From=f"Mail Delivery Subsystem <{_DAEMON}>",
        To=sender,
        Auto_Submitted="auto-replied",
        Subject=f"Delivery Status Notification ({title})",
        Date=now,
        Message_ID=f"<{secrets.token_hex(12)}.GMR@mx.google.com>",
        **_thread(original),
        X_Failed_Recipients=address if action == "failed" else None,
        MIME_Version="1.0",
        Content_Type=f'multipart/report; boundary="{outer}"; report-type=delivery-status',
    )
    shown = f"<html><body><p>{html.escape(words)}</p></body></html>"
    delivery = _fields(
        Final_Recipient=f"rfc822; {address}",
        Action=action,
        Status=status,
        Remote_MTA=f"dns; mx1.{domain}. (203.0.113.25, the server for the domain {domain}.)",
        Diagnostic_Code=f"smtp; {diagnostic}",
        Last_Attempt_Date=now,
    )
    envelope = _fields(
        Reporting_MTA="dns; googlemail.com",
        Arrival_Date=now,
        X_Original_Message_ID=original.get("message-id"),
    )
    before = (
        f'{head}\r\n--{outer}\r\nContent-Type: multipart/related; boundary="{inner}"\r\n\r\n'
        f'--{inner}\r\nContent-Type: multipart/alternative; boundary="{texts}"\r\n\r\n'
        f'--{texts}\r\nContent-Type: text/plain; charset="UTF-8"\r\n\r\n{words}\r\n\r\n'
        f'--{texts}\r\nContent-Type: text/html; charset="UTF-8"\r\n\r\n{shown}\r\n\r\n'
        f"--{texts}--\r\n\r\n--{inner}--\r\n\r\n"
        f"--{outer}\r\nContent-Type: message/delivery-status\r\n\r\n{envelope}\r\n{delivery}\r\n"
        f"--{outer}\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    return before.encode() + original.render() + f"\r\n--{outer}--\r\n".encode()
