"""Our own marks in what somebody quotes or forwards: links that lead through the tracker, pixels of earlier mails, and
the comment that carries a delivery's mark where the provider takes no header for it.

Pure. A link or pixel is ours when its token verifies by our keys, whatever host it stands on: the tracker's address may
have changed since, and nothing else can carry such a token. The comment is ours by its words, which nobody else writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from truesend.tracking import html_scan, rules, tokens
from truesend.tracking.html_scan import Tag, Text, Unclosed
from truesend.tracking.shown import host_of

# The tracker may live below a path of its host, and somebody may have added parameters on the way.
_CLICK = re.compile(r"https?://[^?#]*/t/c/([A-Za-z0-9_-]+)(?=[?#]|\Z)", re.IGNORECASE)
# A mailbox that shows pictures through a proxy quotes them as "https://proxy/…#https://tracker/t/o/….gif".
_PIXEL = re.compile(r"(?:\A|#)https?://[^?#]*/t/o/([A-Za-z0-9_-]+)\.gif(?=[?#]|\Z)", re.IGNORECASE)
_IN_TEXT = re.compile(r"""https?://[^\s?#<>"']{1,300}?/t/c/[A-Za-z0-9_-]+""", re.IGNORECASE)
# In the address of a gateway that leads people through its own: as a parameter, or between "__" and "__;".
_INSIDE = re.compile(r"https?://[^\s?#&]{1,300}?/t/c/([A-Za-z0-9_-]+?)(?=[?#&]|(?:__)?;|\Z)", re.IGNORECASE)
# As `keap/letter.py` and whoever else cannot send a header closes the HTML with; mailboxes may add white space.
_COMMENT = re.compile(r"<!--\s*truesend:delivery=[0-9a-f-]{36}\s*-->", re.IGNORECASE)
# A link of ours may lead to a link of ours, where it was not known as one; nobody nests deeper than this.
_DEEPEST = 8


class OwnMarks:
    """Tells our own links and pixels by ``keys``; without keys nothing is ours."""

    def __init__(self, keys: tokens.Keys = ()) -> None:
        self._keys = keys

    def target(self, address: str) -> str | None:
        """Where a tracked link of ours leads, exactly as it was signed; ``None`` for any other address."""
        found = None
        for _ in range(_DEEPEST):
            token = self._token_in(address)
            if not isinstance(token, tokens.ClickToken):
                break
            address = found = token.target
        return found

    def is_pixel(self, source: str) -> bool:
        """Whether a picture's address is that of a pixel of ours, also behind a picture proxy."""
        match = _PIXEL.search(source) if "/t/o/" in source else None
        return match is not None and isinstance(self._read(match[1]), tokens.OpenToken)

    def in_text(self, text: str) -> str:
        """Plain text with the targets in place of our own links."""
        if not self._keys or "/t/c/" not in text:
            return text
        return _IN_TEXT.sub(lambda match: self.target(match[0]) or match[0], text)

    def _token_in(self, address: str) -> tokens.OpenToken | tokens.ClickToken | None:
        if "t/c/" not in address and "t%2fc%2f" not in address.lower():
            return None
        match = _CLICK.match(address)
        if match is None and _is_gateway(host_of(address)):
            match = _INSIDE.search(unquote(address), 8)
        return self._read(match[1]) if match else None

    def _read(self, token: str) -> tokens.OpenToken | tokens.ClickToken | None:
        try:
            return tokens.read(self._keys, token)
        except tokens.TokenError:
            return None


def may_hold_comments(html: str) -> bool:
    """Whether it is worth looking for comments of ours."""
    return _COMMENT.search(html) is not None


def comments(html: str, parts: Iterable[Tag | Text | Unclosed]) -> Iterator[tuple[int, int]]:
    """Where comments of ours stand in ``html``, all of whose ``parts`` these are: from, up to."""
    for start, end in html_scan.comments(html, parts):
        if _COMMENT.fullmatch(html, start, end):
            yield start, end


def _is_gateway(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name, _ in rules.CURRENT.rewriters)
