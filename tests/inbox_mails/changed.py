"""Ways in which a bounce comes changed: other hosts, encodings, line ends and folds, parts that are missing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import Message

from tests.inbox_mails.cases import as_html, in_base64, in_quoted_printable

_MACHINE = ("message/delivery-status", "message/global-delivery-status")
_SENT_BACK = ("message/rfc822", "text/rfc822-headers", "message/global")
_KEPT = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
}


def _text(part: Message) -> str:
    content = part.get_payload(decode=True) or b""
    assert isinstance(content, bytes)
    try:
        return content.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _parsed(raw: bytes) -> Message:
    return message_from_bytes(raw, policy=policy.compat32)


def _written(mail: Message) -> bytes:
    return mail.as_bytes(policy=policy.compat32.clone(max_line_length=None))


def _notes(mail: Message) -> list[Message]:
    """Plain parts that are not of the mail that came back."""
    if not mail.is_multipart():
        return [mail] if mail.get_content_type() == "text/plain" else []
    inside = [part for part in mail.get_payload() if isinstance(part, Message)]
    return [
        note for part in inside if not part.get_content_type().startswith("message/") for note in _notes(part)
    ]


def _each_note(raw: bytes, change: Callable[[str], tuple[str, str, str]]) -> bytes:
    """With each note put as (type, transfer encoding, content)."""
    mail = _parsed(raw)
    for note in _notes(mail):
        kind, encoding, content = change(_text(note))
        for name in ("Content-Type", "Content-Transfer-Encoding"):
            del note[name]
        note["Content-Type"] = kind
        note["Content-Transfer-Encoding"] = encoding
        note.set_payload(content)
    return _written(mail)


def _without(raw: bytes, kinds: tuple[str, ...]) -> bytes:
    mail = _parsed(raw)
    payload = mail.get_payload()
    if not isinstance(payload, list):
        return raw
    kept: list[Message | str] = [
        part for part in payload if isinstance(part, Message) and part.get_content_type() not in kinds
    ]
    if not kept or len(kept) == len(payload):
        return raw
    mail.set_payload(kept)
    return _written(mail)


def _folded(text: str) -> str:
    lines = []
    for line in text.split("\n"):
        indent = re.match(r"\s*", line)
        lines += textwrap.wrap(
            line,
            58,
            subsequent_indent=f"{indent[0] if indent else ''}    ",
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines)


def crlf(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def other_hosts(raw: bytes) -> bytes:
    """Every example domain is another one."""
    return re.sub(rb"\bexample\.(?:com|jp|org|net|co\.jp|ne\.jp|or\.jp|edu)\b", b"werft-nord.de", raw)


def base64(raw: bytes) -> bytes:
    return _each_note(raw, lambda text: ("text/plain; charset=utf-8", "base64", in_base64(text)))


def quoted_printable(raw: bytes) -> bytes:
    return _each_note(
        raw, lambda text: ("text/plain; charset=utf-8", "quoted-printable", in_quoted_printable(text))
    )


def folded(raw: bytes) -> bytes:
    """Notes wrapped at 58 columns."""
    return _each_note(
        raw,
        lambda text: ("text/plain; charset=utf-8", "quoted-printable", in_quoted_printable(_folded(text))),
    )


def html_alone(raw: bytes) -> bytes:
    """Notes in HTML, and no part for machines."""
    return _without(
        _each_note(raw, lambda text: ("text/html; charset=utf-8", "base64", in_base64(as_html(text)))),
        _MACHINE,
    )


def no_machine_part(raw: bytes) -> bytes:
    return _without(raw, _MACHINE)


def nothing_sent_back(raw: bytes) -> bytes:
    return _without(raw, _SENT_BACK)


def few_headers(raw: bytes) -> bytes:
    """What a provider's interface leaves: no Return-Path, no list of those that failed, no Auto-Submitted."""
    mail = _parsed(raw)
    for name in {name.lower() for name, _ in mail.items()} - _KEPT:
        del mail[name]
    return _written(mail)


def cut_short(raw: bytes) -> bytes:
    """Ends in the middle of the mail that came back."""
    return raw[: max(len(raw) * 9 // 10, 700)]


CHANGES: tuple[Callable[[bytes], bytes], ...] = (
    crlf, other_hosts, base64, quoted_printable, folded, html_alone, no_machine_part, nothing_sent_back, few_headers, cut_short,
)  # fmt: skip
