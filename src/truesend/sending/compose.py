"""From an email to the bytes that leave. Pure.

The standard library builds a message as a tree of parsed headers, which costs more than everything else in a send
together; and its folding breaks names with commas and encoded words apart (CPython issues 100884 and 121284). So the
few headers an email has are written here, plainly where they are plain and as RFC 2047 words where not.
"""

from __future__ import annotations

import binascii
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import quote
from uuid import UUID

from truesend.sending.addresses import Mailbox

MARK_HEADER = "X-Truesend-Delivery"

_CRLF = b"\r\n"
# RFC 5322 asks for lines of at most 78 characters, RFC 2045 for base64 lines of 76, RFC 2047 for words of at most 75
# in lines of at most 76: with "Subject: " before it, a word may carry 42 bytes.
_LINE = 76
_WORD_BYTES = 42
_BASE64_LINE = 76
# A plain word longer than this could pass the 998 characters that a line may have at all.
_LONGEST_PLAIN_WORD = 900
_LONGEST_PLAIN_LINE = 200
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*\Z")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_DOMAIN = re.compile(r"[A-Za-z0-9._-]+\Z|\[[A-Za-z0-9.:]+\]\Z")
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
# What turns the direction of writing would let a name pass for another address.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BREAK = re.compile(rb"\r\n|\r|\n")
_LONG_LINE = re.compile(rb"[^\r\n]{%d}" % (_LONGEST_PLAIN_LINE + 1))


@dataclass(frozen=True)
class File:
    """An attachment."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    # Of a picture in the text: what the HTML calls it.
    content_id: str = ""


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
    # Message-IDs of the conversation, from its first email to the one that this one answers.
    references: Sequence[str] = ()
    # Where the recipient says by one press of a button that they want no more of it; empty for none.
    unsubscribe: str = ""


def compose(letter: Letter) -> bytes:
    """The whole message. The HTML part carries exactly the bytes of ``letter.html`` (base64).

    Raises ValueError for an address that cannot stand in a header.
    """
    headers = [_folded("From", _people([letter.sender]))]
    for name, people in (("To", letter.to), ("Cc", letter.cc), ("Bcc", letter.bcc)):
        if people:
            headers.append(_folded(name, _people(people)))
    headers.append(_folded("Subject", _unstructured(one_line(letter.subject))))
    headers.append(f"Date: {format_datetime(letter.date)}")
    if letter.references:
        headers.append(f"In-Reply-To: {letter.references[-1]}")
        headers.append(_folded("References", letter.references))
    headers.append(f"{MARK_HEADER}: {letter.delivery}")
    if letter.unsubscribe:  # RFC 2369, RFC 8058; an address is never folded
        headers += [
            f"List-Unsubscribe: <{letter.unsubscribe}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    headers.append("MIME-Version: 1.0")
    body = _text(letter.text)
    if letter.html:
        html = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        shown = html + _base64(letter.html.encode())
        if inside := [file for file in letter.files if file.content_id]:
            # Pictures belong to the HTML that shows them (RFC 2387), and to no list of files.
            shown = _multipart("related", [shown, *(_attachment(file) for file in inside)])
        body = _multipart("alternative", [body, shown])
    if beside := [file for file in letter.files if not (file.content_id and letter.html)]:
        body = _multipart("mixed", [body, *(_attachment(file) for file in beside)])
    return _CRLF.join([*(line.encode("ascii") for line in headers), body])


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters, which could smuggle in a header, or turn its direction.

    What joins letters without being seen stays: families of emoji, Persian words.
    """
    if not text.isprintable():
        kept = (c for c in text if c not in _TURNING)
        text = "".join(" " if unicodedata.category(c) in _BREAKING else c for c in kept)
    return " ".join(text.split())


def _people(people: Sequence[Mailbox]) -> list[str]:
    """Addresses as a header wants them, in pieces that stand apart by a space or a fold."""
    pieces: list[str] = []
    for person in people:
        pieces += _mailbox(person)
        pieces[-1] += ","
    pieces[-1] = pieces[-1][:-1]
    return pieces


def _mailbox(person: Mailbox) -> list[str]:
    local, _, domain = person.address.rpartition("@")
    if not (local and local.isascii() and local.isprintable() and _DOMAIN.match(domain)):
        raise ValueError("an address cannot stand in a header")
    address = f"{local if _LOCAL.match(local) else _quoted(local)}@{domain}"
    name = one_line(person.name)
    return [*_phrase(name), f"<{address}>"] if name else [address]


def _phrase(name: str) -> list[str]:
    if not name.isascii() or "=?" in name:
        return _encoded_words(name)
    return name.split(" ") if _ATOMS.match(name) else [_quoted(name)]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unstructured(text: str) -> list[str]:
    """Free text in pieces that stand apart by a space or a fold."""
    words = text.split(" ")
    if text.isascii() and "=?" not in text and max(map(len, words)) <= _LONGEST_PLAIN_WORD:
        return words
    return _encoded_words(text)


def _encoded_words(text: str) -> list[str]:
    """RFC 2047: a reader joins neighbouring words without the space between them."""
    words: list[str] = []
    current = b""
    for character in text:
        added = character.encode()
        if len(current) + len(added) > _WORD_BYTES:
            words.append(_encoded_word(current))
            current = b""
        current += added
    return [*words, _encoded_word(current)]


def _encoded_word(content: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(content, newline=False).decode('ascii')}?="


def _folded(name: str, pieces: Sequence[str]) -> str:
    """A header whose lines break between pieces only."""
    line, lines = f"{name}: {pieces[0]}", []
    for piece in pieces[1:]:
        if len(line) + 1 + len(piece) > _LINE:
            lines.append(line)
            line = ""
        line = f"{line} {piece}"
    return "\r\n".join([*lines, line])


def _text(text: str) -> bytes:
    """The plain part: as it is where every mail program can read it so, else base64; lines end in CRLF."""
    content = _BREAK.sub(_CRLF, text.encode())
    if content and not content.endswith(_CRLF):
        content += _CRLF
    head = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: %s\r\n\r\n'
    if content.isascii() and not _LONG_LINE.search(content):
        return head % b"7bit" + content
    return head % b"base64" + _base64(content)


def _base64(content: bytes) -> bytes:
    encoded = binascii.b2a_base64(content, newline=False)
    lines = [encoded[start : start + _BASE64_LINE] for start in range(0, len(encoded), _BASE64_LINE)]
    return _CRLF.join([*lines, b""])


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    boundary = f"=_{secrets.token_hex(16)}".encode()
    opening = b"--" + boundary + _CRLF
    return b"".join(
        (
            b'Content-Type: multipart/%s;\r\n boundary="%s"\r\n\r\n' % (kind.encode(), boundary),
            *(opening + part + _CRLF for part in parts),
            b"--" + boundary + b"--\r\n",
        )
    )


def _attachment(file: File) -> bytes:
    """Its headers by the standard library, which knows how long and foreign file names are written (RFC 2231)."""
    main, _, sub = file.content_type.partition("/")
    name = one_line(file.name) or "attachment"
    part = MIMEPart(policy=SMTP)
    part.set_content(
        b"",
        maintype=main or "application",
        subtype=sub or "octet-stream",
        filename=None if "=?" in name else name,
        disposition="inline" if file.content_id else "attachment",
        cid=f"<{file.content_id}>" if file.content_id else None,
        cte="base64",
    )
    del part["MIME-Version"]
    head = part.as_bytes().rstrip()
    if "=?" in name:
        # Many readers take it for an encoded word, also where none may stand: percent signs leave no doubt.
        head += f";\r\n filename*=utf-8''{quote(name, safe='')}".encode()
    return head + b"\r\n\r\n" + _base64(file.content)
