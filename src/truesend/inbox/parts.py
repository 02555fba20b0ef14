"""Any bytes as a mail: its headers and flat list of parts. Never raises; bounded in time and depth.

The standard library's whole-message parser is not used for it: it recurses, it takes quadratic time over some headers,
and it loses the parts of reports that are put together wrongly. Encoded words, addresses and dates are its business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from truesend.inbox.texts import decode_body, decode_bytes, decode_header, html_text

MOST_BYTES = 2_000_000
"""Of a mail are read. What a bounce tells stands before the mail that it sends back."""
DEEPEST = 12
MOST_PARTS = 200
_LONGEST_HEADER = 8_000
_HEADER = re.compile(r"([!-9;-~]{1,76})[ \t]{0,4}:[ \t]?(.*)", re.DOTALL)
_PARAMETER = re.compile(
    r';[ \t\r\n]*([A-Za-z][\w-]{0,30})\*?0?\*?[ \t]*=[ \t]*("(?:[^"\\]|\\.){0,300}"|[^\s;"]{1,300})'
)
_LIKE_BOUNDARY = re.compile(rb"(?:^|\n)--([^\n]{1,200})\n(?=content-)", re.IGNORECASE)
_UNFOLDED = re.compile(r"(?:boundary|charset|report-type|name|filename|format|type)\s?=", re.IGNORECASE)
_STATUS = {"message/delivery-status", "message/global-delivery-status"}
_ORIGINAL = {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "message/partial",
             "text/rfc822", "message/rfc822-headers"}  # fmt: skip
_OTHERS = {
    "message/disposition-notification": "receipt",
    "message/global-disposition-notification": "receipt",
    "message/feedback-report": "complaint",
    "text/calendar": "calendar",
}


class Headers:
    """Header lines in their order, names in lower case, values unfolded and cut at 8,000 characters."""

    def __init__(self, lines: Sequence[tuple[str, str]]) -> None:
        self.lines = lines

    def __bool__(self) -> bool:
        return bool(self.lines)

    def __contains__(self, name: str) -> bool:
        return any(one == name for one, _ in self.lines)

    def all(self, name: str) -> list[str]:
        return [value for one, value in self.lines if one == name]

    def get(self, name: str) -> str:
        """The first value as it stands, or ``""``."""
        return next((value for one, value in self.lines if one == name), "")

    def text(self, name: str) -> str:
        """The first value, encoded words decoded."""
        return decode_header(self.get(name))

    @property
    def content_type(self) -> tuple[str, dict[str, str]]:
        """``("text/plain", {"charset": …})``; the type is ``""`` where none is told."""
        return parameters(self.get("content-type"))


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """A structured value and its parameters, names in lower case."""
    value = value[:2_000]
    main = value.partition(";")[0].strip().lower()
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(value):
        told = match[2]
        if told.startswith('"'):
            told = re.sub(r"\\(.)", r"\1", told[1:-1])
        found.setdefault(match[1].lower(), told)
    return main, found


def read_headers(block: bytes | str) -> Headers:
    """What can be read of a block of header lines; other lines are passed over."""
    text = decode_bytes(block) if isinstance(block, bytes) else block
    lines: list[tuple[str, str]] = []
    for line in text.split("\n")[:4_000]:
        if lines and (line[:1] in {" ", "\t"} or (lines[-1][1].endswith(";") and _UNFOLDED.match(line))):
            name, value = lines[-1]
            if len(value) < _LONGEST_HEADER:
                lines[-1] = (name, f"{value} {line.strip()}"[:_LONGEST_HEADER])
        elif match := _HEADER.fullmatch(line[:_LONGEST_HEADER]):
            lines.append((match[1].lower(), match[2].strip()))
    return Headers(lines)


@dataclass(slots=True)
class Part:
    """A leaf, or a mail within the mail."""

    kind: str
    """``text``, ``html``, ``status``, ``original``, ``receipt``, ``complaint``, ``calendar`` or ``other``."""
    headers: Headers
    text: str
    """Decoded; of HTML its text; of other things nothing."""
    raw: bytes = b""
    """Of an original its bytes, transfer encoding undone."""


@dataclass(slots=True)
class Mail:
    """A mail taken apart."""

    headers: Headers
    parts: list[Part] = field(default_factory=list)
    content_type: str = ""
    report_type: str = ""

    def kinds(self, kind: str) -> list[Part]:
        return [part for part in self.parts if part.kind == kind]

    @property
    def text(self) -> str:
        """What a person reads: the plain parts, else those in HTML."""
        plain = "\n".join(part.text for part in self.kinds("text"))
        if len(plain.strip()) > 40 or not self.kinds("html"):
            return plain
        return plain + "\n" + "\n".join(part.text for part in self.kinds("html"))


def parse(raw: bytes) -> Mail:
    """The mail in these bytes, as far as there is one."""
    raw = raw[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"").lstrip(b"\n")
    head, body = cut(raw)
    headers = read_headers(head)
    kind, told = headers.content_type
    mail = Mail(headers, content_type=kind, report_type=told.get("report-type", "").lower())
    if not headers:
        mail.parts.append(Part("text", headers, decode_bytes(raw[:100_000])))
        return mail
    for part in _walk(headers, body):
        mail.parts.append(part)
        if len(mail.parts) >= MOST_PARTS:
            break
    return mail


def cut(raw: bytes) -> tuple[bytes, bytes]:
    """Headers and body, at the first empty line."""
    if raw.startswith(b"\n"):
        return b"", raw[1:]
    head, _, body = raw.partition(b"\n\n")
    # Written into a file by a program that puts a blank after the last header.
    if (found := re.search(rb"\n[ \t]{1,8}\n", head[:100_000])) is not None:
        return head[: found.start()], head[found.end() :] + b"\n\n" + body
    return head, body


def _walk(headers: Headers, body: bytes) -> Iterator[Part]:
    """Leaves in their order, without recursion."""
    todo = [(headers, body, 0)]
    while todo:
        head, content, depth = todo.pop()
        kind, told = head.content_type
        boundary = told.get("boundary", "")
        if kind.startswith("multipart/") and depth < DEEPEST:
            pieces = split(content, boundary.encode("utf-8", "surrogateescape")) if boundary else []
            if not pieces and (other := _LIKE_BOUNDARY.search(content[:50_000])):
                pieces = split(
                    content, other[1]
                )  # a gateway has changed the one in the header, or the ones in the body
            if pieces:
                inner = []
                for number, piece in enumerate(pieces):
                    if number == 0:  # what stands before the first boundary
                        inner.append((Headers([("content-type", "text/x-preamble")]), piece, depth + 1))
                    else:
                        inner.append((*_piece(piece), depth + 1))
                todo.extend(reversed(inner))
                continue
            kind = "text/plain"  # no boundary is to be found: read it as it stands
        yield _leaf(head, kind, content)


def _piece(piece: bytes) -> tuple[Headers, bytes]:
    """The headers and content of one part. One without headers is text; one with a mail's own is a mail."""
    head, body = cut(piece)
    headers = read_headers(head)
    first = head.split(b"\n", 1)[0]
    if head and not _HEADER.match(decode_bytes(first[:200])):
        return Headers([]), piece
    if not any(name.startswith("content-") for name, _ in headers.lines):
        if (
            sum(
                name in {"from", "to", "subject", "date", "message-id", "received"}
                for name, _ in headers.lines
            )
            >= 2
        ):
            return Headers([("content-type", "message/rfc822")]), piece
        if {"action", "final-recipient", "reporting-mta"} & {name for name, _ in headers.lines}:
            return Headers([("content-type", "message/delivery-status")]), piece
    elif (
        sum(name in {"from", "to", "subject", "date", "message-id", "received"} for name, _ in headers.lines)
        >= 3
    ):
        # The mail itself stands in place of a part.
        return Headers([("content-type", "message/rfc822")]), piece
    return headers, body


def split(content: bytes, boundary: bytes) -> list[bytes]:
    """The preamble and each part between lines of this boundary; ``[]`` where there is none."""
    line = re.compile(rb"(?:^|\n)[ \t]{0,2}--" + re.escape(boundary.rstrip()) + rb"(--)?[ \t]{0,8}(?=\n|$)")
    pieces = []
    last = 0
    for found in line.finditer(content):
        pieces.append(content[last : found.start()])
        last = min(found.end() + 1, len(content))
        if found[1] or len(pieces) > MOST_PARTS:
            break
    else:
        if pieces:
            pieces.append(content[last:])
    return pieces


def _leaf(headers: Headers, kind: str, content: bytes) -> Part:
    _, told = headers.content_type
    encoding = headers.get("content-transfer-encoding").strip().lower()
    attached = headers.get("content-disposition").strip().lower().startswith("attachment")
    if kind == "text/x-preamble":
        return Part("preamble", headers, decode_bytes(content[:20_000]))
    if kind in _STATUS:
        return Part("status", headers, decode_body(content, encoding, told.get("charset", "utf-8"))[0])
    if kind in _ORIGINAL:
        return Part("original", headers, "", decode_body(content, encoding, "")[1])
    if kind in _OTHERS:
        return Part(_OTHERS[kind], headers, decode_body(content, encoding, told.get("charset", ""))[0])
    if kind in {"text/html", "application/xhtml+xml"}:
        text = decode_body(content, encoding, told.get("charset", ""))[0]
        return Part("other" if attached else "html", headers, "" if attached else html_text(text))
    if kind.startswith("text/") or not kind or "/" not in kind:
        name = told.get("name", "").lower()
        if attached and not name.startswith(("deliver", "details", "report")):
            return Part("other", headers, "")
        text = decode_body(content, encoding, told.get("charset", ""))[0]
        if not kind and text.lstrip()[:5].lower() == "<html":
            return Part("html", headers, html_text(text))
        return Part("text", headers, text)
    return Part("other", headers, "")
