"""Bytes as text: charsets, transfer encodings, encoded words, HTML. Never raises, bounded."""

from __future__ import annotations

import binascii
import codecs
import contextlib
import html
import quopri
import re
from email.header import decode_header as _decode_words

MOST_TEXT = 100_000
"""Characters of one part are read."""
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_NAMES = {"unicode-1-1-utf-7": "utf-7", "ks_c_5601-1987": "cp949", "cp-850": "cp850", "x-sjis": "cp932",
          "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "iso-8859-8-i": "iso-8859-8",
          "us-ascii": "utf-8", "ascii": "utf-8", "windows-31j": "cp932"}  # fmt: skip
_JAPANESE = re.compile(rb"\x1b\$[@B]")


def decode_bytes(content: bytes, charset: str = "") -> str:
    """Text in this charset where it can be, else as UTF-8, as Japanese by its escapes, as Windows-1252."""
    name = codec(charset)
    tries = [name] if name and name != "utf-8" else []
    if _JAPANESE.search(content[:20_000]):
        tries.insert(0, "iso-2022-jp-3")
    for one in (*tries, "utf-8"):
        try:
            return content.decode(one)
        except (UnicodeError, ValueError):
            continue
    return content.decode(name if name and name != "utf-8" else "cp1252", "replace")


def codec(charset: str) -> str:
    """Python's name of a charset that is one for text, or ``""``."""
    label = charset.strip().strip("\"'").lower()[:40]
    try:
        found = codecs.lookup(_NAMES.get(label, label))
    except (LookupError, ValueError):
        return ""
    known = getattr(found, "_is_text_encoding", True)
    return (
        found.name
        if known and found.name not in {"idna", "punycode", "undefined", "unicode_escape", "mbcs"}
        else ""
    )


def decode_body(content: bytes, encoding: str, charset: str) -> tuple[str, bytes]:
    """A part's text, cut at :data:`MOST_TEXT`, and its bytes with the transfer encoding undone."""
    content = content[: 12 * MOST_TEXT]
    if encoding == "base64":
        letters = _NOT_BASE64.sub(b"", content)
        letters = (
            letters[: len(letters) // 4 * 4]
            if len(letters) % 4 == 1
            else letters + b"=" * (-len(letters) % 4)
        )
        with contextlib.suppress(ValueError):
            content = binascii.a2b_base64(letters)
    elif encoding == "quoted-printable":
        with contextlib.suppress(ValueError):
            content = quopri.decodestring(content)
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    text = decode_bytes(content[: 4 * MOST_TEXT], charset)
    return text[:MOST_TEXT], content


def decode_header(value: str) -> str:
    """A header's value with its encoded words decoded, on one line."""
    value = value[:4_000]
    if "=?" in value:
        with contextlib.suppress(Exception):  # the library raises many kinds over broken words
            pieces = [
                piece if isinstance(piece, str) else decode_bytes(piece, charset or "")
                for piece, charset in _decode_words(value)
            ]
            value = "".join(pieces)
    return " ".join(value.split())


_BREAKS = frozenset(
    {"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "hr", "pre", "blockquote"}
)
_SILENT = frozenset({"script", "style", "head", "title"})
_TAG = re.compile(r"/?([a-z][a-z0-9:]{0,20})", re.IGNORECASE)


def html_text(source: str) -> str:
    """What a browser shows of HTML, roughly: a line for each block. Linear in time."""
    source = source[: 2 * MOST_TEXT]
    lower = source.lower()
    out: list[str] = []
    at = 0
    as_it_stands = False  # within <pre>
    while True:
        start = source.find("<", at)
        shown = source[at:] if start < 0 else source[at:start]
        out.append(shown if as_it_stands else shown.replace("\n", " "))
        if start < 0:
            break
        if source.startswith("<!--", start):
            end = source.find("-->", start)
            at = len(source) if end < 0 else end + 3
            continue
        match = _TAG.match(source, start + 1)
        if match is None:
            if source.startswith("<!", start) and (end := source.find(">", start)) >= 0:
                at = end + 1
                continue
            out.append("<")
            at = start + 1
            continue
        name = match[1].lower()
        end = source.find(">", match.end())
        if end < 0:
            out.append(source[start:])
            break
        if source[start + 1] != "/" and name in _SILENT:
            close = lower.find(f"</{name}", end)
            at = len(source) if close < 0 else close
            continue
        after = source[match.end() : match.end() + 1]
        if after not in {">", " ", "/", "\n", "\t", "\r"}:  # <kijitora@example.org>: an address, not a tag
            out.append(source[start : end + 1])
        elif name in _BREAKS:
            out.append("\n")
            if name == "pre":
                as_it_stands = source[start + 1] != "/"
        elif name in {"td", "th"}:
            out.append(" ")
        at = end + 1
    text = html.unescape("".join(out)).replace("\xa0", " ")
    text = re.sub(r"[ \t\f]+", " ", text)
    return re.sub(r" ?\n ?(?:\n ?)+", "\n\n", text)
