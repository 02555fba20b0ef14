"""What the tracker answers, as ready-made ASGI messages."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import MutableMapping
from typing import Any

Answer = tuple[MutableMapping[str, Any], MutableMapping[str, Any]]

GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent pixel, 43 bytes."""

EMPTY: MutableMapping[str, Any] = {"type": "http.response.body", "body": b""}

_ALWAYS = [
    (b"cache-control", b"no-store, private"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex, nofollow"),
]
_STYLE = (
    "body{max-width:32rem;margin:18vh auto 0;padding:0 1.5rem;font:1rem/1.55 system-ui,sans-serif}"
    "h1{font-size:1.4rem;line-height:1.3}"
)
# Nothing is loaded, nothing runs; the style is the one that stands in the page.
_POLICY = b"default-src 'none'; style-src 'sha256-%b'" % base64.b64encode(
    hashlib.sha256(_STYLE.encode()).digest()
)
_LEADS_ON = [*_ALWAYS[:2], _ALWAYS[3]]
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title><style>{style}</style>
<main><h1>{title}</h1><p>{text}</p></main></html>
"""


def plain(status: int, body: bytes, content_type: bytes, *more: tuple[bytes, bytes]) -> Answer:
    """An answer with a body."""
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *_ALWAYS, *more]
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


def _page(status: int, title: str, text: str) -> Answer:
    body = _PAGE.format(title=title, text=text, style=_STYLE).encode()
    return plain(status, body, b"text/html; charset=utf-8", (b"content-security-policy", _POLICY))


def redirect(target: bytes) -> Answer:
    """302 to the target, byte for byte as it stood in the mail."""
    headers = [(b"location", target), (b"content-length", b"0"), *_LEADS_ON]
    return {"type": "http.response.start", "status": 302, "headers": headers}, EMPTY


# Nothing is loaded from a pixel, read out of it or listed: what a page needs to say besides would only cost time.
PIXEL: Answer = (
    {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"image/gif"), (b"content-length", b"%d" % len(GIF)), *_ALWAYS[:2]],
    },
    {"type": "http.response.body", "body": GIF},
)
NOT_FOUND = plain(404, b"Not found.\n", b"text/plain; charset=utf-8")
WRONG_METHOD = plain(405, b"Only GET and HEAD.\n", b"text/plain; charset=utf-8", (b"allow", b"GET, HEAD"))
NOT_VALID = _page(
    404,
    "This link is not valid",
    "It may have been cut off or changed on its way. Open it again from the mail, or ask whoever sent it.",
)
BLOCKED = _page(
    403,
    "This link is blocked",
    "The operator of this installation has blocked it because of abuse. If you trust whoever sent it, ask them.",
)
KEY_REMOVED = _page(
    404,
    "This link is no longer in use",
    "Whoever runs this service has removed the key it was made with. Ask whoever sent it for the address.",
)
