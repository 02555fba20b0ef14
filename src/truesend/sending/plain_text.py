"""The plain-text alternative of an HTML email. Pure, and linear in the length of the HTML."""

from __future__ import annotations

import re

from truesend.tracking import html_scan
from truesend.tracking.html_scan import Tag, Text

_BLOCKS = frozenset(
    ("address", "article", "blockquote", "div", "dl", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6")
    + ("header", "hr", "ol", "p", "pre", "section", "table", "tr", "ul")
)
_BREAKS = {"br": "\n", "li": "\n- ", "td": " ", "th": " "}
_WHITE = re.compile(r"[ \t\r\n\f]+")
_WEB = re.compile(r"https?://", re.IGNORECASE)


def to_text(html: str) -> str:
    """Readable text: blocks become paragraphs, links keep their address, styles and scripts vanish."""
    parts: list[str] = []
    links: list[tuple[str, int]] = []
    for found in html_scan.scan(html):
        if isinstance(found, Text):
            parts.append(_WHITE.sub(" ", html_scan.decode(html[found.start : found.end])))
        elif isinstance(found, Tag):
            _tag(html, found, parts, links)
    return _tidy("".join(parts))


def _tag(html: str, tag: Tag, parts: list[str], links: list[tuple[str, int]]) -> None:
    if tag.name in _BLOCKS:
        parts.append("\n\n")
    elif tag.closing:
        if tag.name == "a" and links:
            _close_link(parts, *links.pop())
    elif tag.name == "a":
        # A link in a link ends the outer one, as in browsers.
        links[:] = [(_value(html, tag, "href"), len(parts))]
    elif tag.name == "img":
        parts.append(_value(html, tag, "alt"))
    else:
        parts.append(_BREAKS.get(tag.name, ""))


def _close_link(parts: list[str], target: str, start: int) -> None:
    text = "".join(parts[start:]).strip()
    if _WEB.match(target) and target != text:
        parts.append(f" ({target})" if text else target)


def _value(html: str, tag: Tag, name: str) -> str:
    attribute = tag.get(name)
    return html_scan.decode(html[attribute.start : attribute.end]).strip() if attribute else ""


def _tidy(text: str) -> str:
    lines = (line.strip() for line in text.replace("\xa0", " ").split("\n"))
    joined = "\n".join(re.sub(r" {2,}", " ", line) for line in lines)
    return re.sub(r"\n{3,}", "\n\n", joined).strip() + "\n"
