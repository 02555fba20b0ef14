"""Ways out of mail to many in what somebody quotes: whoever reads the answer must not unsubscribe another by them.

Pure. A link is one of ours when its token verifies by our keys, whatever host it stands on, also within the address of
a gateway. Its words stay, the link goes.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from truesend.tracking import html_scan, tokens, unsubscribe_tokens
from truesend.tracking.html_scan import Tag

_PATH = re.compile(r"/t/u/([A-Za-z0-9_-]+)")
_ADDRESS = re.compile(r"""https?://[^\s<>"']+""", re.IGNORECASE)
_MAY = re.compile(r"t(?:/|%2f|&#x2f;|&#47;|%252f)u", re.IGNORECASE)


def in_html(html: str, keys: tokens.Keys) -> str:
    """``html`` without its links that lead out; every other byte stays."""
    if not keys or not _MAY.search(html):
        return html
    cuts: list[tuple[int, int]] = []
    inside = False
    for part in html_scan.scan(html):
        if not isinstance(part, Tag):
            continue
        if part.closing:
            if part.name == "a" and inside:
                cuts.append((part.start, part.end))
                inside = False
            continue
        href = part.get("href")
        if part.name == "a":
            inside = False  # a link ends where another begins
        if href is None or not is_way_out(html_scan.decode(html[href.start : href.end]), keys):
            continue
        cuts.append((part.start, part.end))
        inside = part.name == "a"
    kept, position = [], 0
    for start, end in cuts:
        kept.append(html[position:start])
        position = end
    return "".join([*kept, html[position:]])


def in_text(text: str, keys: tokens.Keys) -> str:
    """Plain text without them."""
    if not keys or not _MAY.search(text):
        return text
    return _ADDRESS.sub(lambda match: "" if is_way_out(match[0], keys) else match[0], text)


def is_way_out(address: str, keys: tokens.Keys) -> bool:
    """Whether an address carries a token of ours that unsubscribes somebody."""
    # A gateway may have encoded it, and another one that again.
    for _ in range(3):
        if any(_verifies(token, keys) for token in _PATH.findall(address)):
            return True
        address = unquote(address)
    return False


def _verifies(token: str, keys: tokens.Keys) -> bool:
    # Proofpoint ends what it wraps with "__;".
    for one in {token, token.removesuffix("__")}:
        try:
            unsubscribe_tokens.read(keys, one)
        except tokens.TokenError:
            continue
        return True
    return False
