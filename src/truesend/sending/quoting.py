"""What was written, as the quote below an answer to it. Pure.

Our own marks are taken out: links lead to their targets; pixels of earlier emails, what carries a delivery's mark, and
links that unsubscribe somebody are gone. So is the signature of whoever quotes themselves: the answer has its own.
"""

from __future__ import annotations

import html as html_module
import re
from datetime import UTC, datetime

from truesend.tracking import quoted_ways_out, tokens
from truesend.tracking.quoted import OwnMarks
from truesend.tracking.rewrite import rewrite

# The block that a signature is in an email; the editor knows it by this name and lets no other `div` inside.
SIGNATURE_CLASS = "truesend-signature"
_SIGNATURE = re.compile(rf'<div class="{SIGNATURE_CLASS}">.*?</div>', re.DOTALL)
_BODY = re.compile(r"<body\b[^>]*>(.*?)(?:</body\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_HEAD = re.compile(r"<!doctype[^>]*>|<head\b.*?</head\s*>|</?html\b[^>]*>", re.IGNORECASE | re.DOTALL)
_EMPTY = re.compile(r"(?:\s|<p>(?:<br[^>]*>)?</p>)*")
_AGAIN = re.compile(r"\s*re\s*:", re.IGNORECASE)


def quoted(html: str, text: str, *, who: str, at: datetime, keys: tokens.Keys) -> str:
    """The words that introduce it, and the email in a block quote."""
    html, text = quoted_ways_out.in_html(html, keys), quoted_ways_out.in_text(text, keys)
    if html:
        inner = rewrite(html, click_url=None, pixel_url=None, keys=keys).html
        found = _BODY.search(inner)
        inner = found[1] if found else _HEAD.sub("", inner)
        inner = without_signature(inner)
    else:
        lines = html_module.escape(OwnMarks(keys).in_text(text), quote=False).splitlines()
        inner = "".join(f"<p>{line or '<br>'}</p>" for line in lines)
    when = f"{at.astimezone(UTC):%d %b %Y} at {at.astimezone(UTC):%H:%M} UTC"
    said = html_module.escape(f"On {when.lstrip('0')}, {who} wrote:", quote=False)
    return f"<p>{said}</p><blockquote>{inner.strip()}</blockquote>"


def without_signature(html: str) -> str:
    """The HTML without its signature."""
    return _SIGNATURE.sub("", html)


def own_words(html: str) -> str:
    """What somebody wrote besides a signature; empty where that is all there is."""
    rest = without_signature(html)
    return "" if _EMPTY.fullmatch(rest) else rest


def subject_of(subject: str) -> str:
    """The subject of an answer: the conversation's own behind one “Re:”."""
    return subject if _AGAIN.match(subject) else f"Re: {subject}".rstrip()
