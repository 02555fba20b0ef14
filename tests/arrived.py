"""What arrived, held against what was written, by means of its own: no code of Truesend reads the mail here."""

from __future__ import annotations

import html as html_module
import http.client
import re
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import urlsplit

_PIXEL = '<img src="{base}/t/o/[A-Za-z0-9_-]+[.]gif" width="1" height="1" alt="" style="[^"]*">'
_CONTROLS_AND_SPACE = "".join(map(chr, range(0x21)))


def parts(item: dict[str, Any]) -> tuple[str, str]:
    """(plain text, HTML) of a message of the sandbox, as the standard library reads it."""
    message = message_from_bytes(item["raw"].encode("utf-8", "surrogateescape"), policy=policy.default)
    found = {}
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        payload = part.get_payload(decode=True) if part else b""
        assert isinstance(payload, bytes)
        found[kind] = payload.decode()
    return found["plain"], found["html"]


def without_pixel(html: str, base: str) -> str:
    """The HTML without its one pixel."""
    rest, count = re.subn(_PIXEL.format(base=re.escape(base)), "", html)
    assert count == 1, f"{count} pixels"
    return rest


def changed(written: str, arrived: str, base: str) -> list[tuple[str, str]]:
    """(what stood there, the tracked address) of every link that changed; fails when anything else did.

    Walks both side by side: up to a tracked address they are equal, and what it replaced ends where it ends.
    """
    found = []
    at = before = 0
    for match in re.finditer(re.escape(base) + "/t/c/[A-Za-z0-9_-]+", arrived):
        same = arrived[before : match.start()]
        assert written.startswith(same, at), f"{same[-80:]!r} is not {written[at : at + len(same)][-80:]!r}"
        at += len(same)
        quote = written[at - 1] if written[at - 1] in "\"'" else ""
        end = written.index(quote, at) if quote else re.compile(r"[\s>]").search(written, at).start()  # type: ignore[union-attr]
        found.append((written[at:end], match[0]))
        at, before = end, match.end()
    assert arrived[before:] == written[at:]
    return found


def target_of(raw: str) -> str:
    """An attribute's value as the standard library decodes it, stripped as a browser does."""
    return stripped(html_module.unescape(raw))


def stripped(value: str) -> str:
    """An address without what the URL standard takes away before it reads one."""
    return value.strip(_CONTROLS_AND_SPACE).translate({9: None, 10: None, 13: None})


def location_of(address: str) -> bytes:
    """Where the real tracker sends a browser that follows the address: the header's bytes."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", parts.path, headers={"User-Agent": "Mozilla/5.0", "Accept-Language": "en"})
        answer = connection.getresponse()
        assert answer.status == 302, answer.status
        answer.read()
        return (answer.getheader("Location") or "").encode("latin-1")
    finally:
        connection.close()
