"""The plain-text alternative of an HTML email. Pure, and linear in the length of the HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable

from truesend.tracking import html_scan
from truesend.tracking.html_scan import Tag, Text, Unclosed

_BLOCKS = frozenset(
    ("address", "article", "blockquote", "div", "dl", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6")
    + ("header", "hr", "ol", "p", "pre", "section", "table", "tr", "ul")
)
_BREAKS = {"br": "\n", "li": "\n- ", "td": " ", "th": " "}
_WHITE = str.maketrans(dict.fromkeys("\t\r\n\f\xa0", " "))
_SPACES = re.compile(r" {2,}")
_GAPS = re.compile(r"\n{3,}")
_WEB = re.compile(r"https?://", re.IGNORECASE)


def to_text(html: str, found: Iterable[Tag | Text | Unclosed] | None = None) -> str:
    """Readable text: blocks become paragraphs, links keep their address, styles and scripts vanish.

    ``found`` are the parts of ``html``, where they have been read already.
    """
    parts: list[str] = []
    links: list[tuple[str, int]] = []
    for one in html_scan.scan(html) if found is None else found:
        if isinstance(one, Text):
            text = html[one.start : one.end]
            if "&" in text:
                text = html_scan.decode(text)
            parts.append(text.translate(_WHITE))
        elif isinstance(one, Tag):
            _tag(html, one, parts, links)
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
    joined = _SPACES.sub(" ", "\n".join(lines))
    return _GAPS.sub("\n\n", joined).strip() + "\n"
