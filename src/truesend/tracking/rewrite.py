"""Turning a mail's HTML into its tracked form: link targets and one pixel change, every other byte stays.

Pure. Only ``href`` values of ``<a>`` and ``<area>`` that are http(s) addresses are replaced. Comments (and
so Outlook's conditional comments and VML), raw text, unfinished markup, quoting and white space stay.
"""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from truesend.tracking import html_scan, tokens
from truesend.tracking.html_scan import Tag, Text, Unclosed

GMAIL_CLIPS_AT = 90 * 1024
"""Bytes. Gmail cuts a mail at about 102 KB and hides the rest, and a pixel with it; we leave a margin."""

_TEXT_LIMIT = 200
_HOST = re.compile(
    r"https?://(?:[^/?#\\@]*@)?(\[[0-9a-f:.]+\]|[^/?#\\@:\s<>\"'{}|^`%\[\]*]+)(?::\d{0,5})?(?=[/?#\\]|\Z)",
    re.I,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_UNQUOTED_UNSAFE = re.compile(r"[\s\"'`=<>&\x00-\x20]")
_LINKS = frozenset({"a", "area"})
_BREAKS = frozenset({"br", "p", "div", "td", "li"})
_WHITE = re.compile(r"\s+")

OFF = "tracking is switched off for this link"
UNSUBSCRIBE = "unsubscribe links stay as they are"
ANCHOR = "leads to a place in the mail itself"
RELATIVE = "not a complete web address"
OTHER_SCHEME = "{scheme} links stay as they are"
OWN = "already one of our tracking links"
EMPTY = "has no address"
UNREADABLE = "not an address we can read"


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the mail, in document order.

    ``target`` is the address as a browser reads it (character references decoded, stripped); ``url`` what
    the recipient gets, equal to ``target`` when the link was left alone, and then ``reason`` says why.
    ``text`` is what the link shows: its text, else the alternative text of its picture, else the host.
    """

    index: int
    url: str
    target: str
    text: str
    reason: str | None

    @property
    def is_web(self) -> bool:
        """Whether it leads to an http(s) address."""
        return self.target[:8].lower().startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement: ``old`` stood at offset ``at`` of the original, ``new`` stands there now."""

    at: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The tracked HTML, all links of the mail, the edits that lead from one to the other, and warnings."""

    html: str
    links: list[Link]
    edits: list[Edit]
    warnings: list[str]

    @property
    def tracked(self) -> list[Link]:
        """The links that were replaced."""
        return [link for link in self.links if link.reason is None]


@dataclass
class _Open:
    """A link whose text is still being read."""

    index: int
    target: str
    url: str
    reason: str | None
    text: list[str]
    alt: list[str]

    def close(self) -> Link:
        shown = _clean("".join(self.text)) or _clean(" ".join(self.alt)) or _host(self.target) or self.target
        return Link(self.index, self.url, self.target, shown[:_TEXT_LIMIT], self.reason)


def rewrite(
    html: str,
    *,
    click_url: Callable[[int, str], str],
    pixel_url: str | None,
    tracking_url: str = "",
    parts: Iterable[Tag | Text | Unclosed] | None = None,
) -> Rewritten:
    """The tracked form of ``html``.

    ``click_url(index, target)`` gives the address that replaces a target. ``pixel_url`` is the picture to
    add, or ``None``. Links below ``tracking_url`` (default: where the pixel is) are our own and stay.
    ``parts`` are those of ``html``, where they have been read already.
    """
    if not tracking_url and pixel_url:
        tracking_url = pixel_url.partition("/t/o/")[0]
    walk = _Walk(html, click_url, tracking_url)
    see, current = walk.see, False
    for part in html_scan.scan(html) if parts is None else parts:
        # Most of a mail is neither a link nor in one.
        if current or type(part) is not Text:
            current = see(part)
    walk.finish_link()
    links = sorted(walk.links, key=lambda link: link.index)
    edits, warnings = walk.edits, []
    if pixel_url is not None:
        at = walk.end if walk.body_end is None else walk.body_end
        if len(html.encode(errors="replace")) > GMAIL_CLIPS_AT:
            warnings.append("Gmail cuts mails of this size off: the end may not be seen.")
            at = at if walk.body_start is None else walk.body_start
        edits.append(Edit(at, "", pixel(pixel_url)))
    return Rewritten(_apply(html, edits), links, edits, warnings)


class _Walk:
    """Reads the parts of a document in order and gathers links, edits and the places for the pixel."""

    def __init__(self, html: str, click_url: Callable[[int, str], str], tracking_url: str) -> None:
        self._html, self._click_url, self._tracking_url = html, click_url, tracking_url
        self._current: _Open | None = None
        self.links: list[Link] = []
        self.edits: list[Edit] = []
        self.body_start: int | None = None
        self.body_end: int | None = None
        self.end = len(html)

    def see(self, part: Tag | Text | Unclosed) -> bool:
        """Take in one part; whether a link's text is being read after it, outside of which no text matters."""
        if isinstance(part, Text):
            if self._current:
                self._current.text.append(html_module.unescape(self._html[part.start : part.end]))
        elif isinstance(part, Unclosed):
            self.end = part.start
        elif part.name == "body":
            self._see_body(part)
        elif part.name in _LINKS:
            self._see_link(part)
        elif self._current and part.name == "img":
            self._current.alt.append(_value(self._html, part, "alt"))
        elif self._current and part.name in _BREAKS:
            self._current.text.append(" ")
        return self._current is not None

    def finish_link(self) -> None:
        if self._current:
            self.links.append(self._current.close())
            self._current = None

    def _see_body(self, tag: Tag) -> None:
        if tag.closing:
            self.body_end = tag.start
        elif self.body_start is None:
            self.body_start = tag.end

    def _see_link(self, tag: Tag) -> None:
        if tag.name == "a":
            self.finish_link()
        href = None if tag.closing else tag.get("href")
        if href is None:
            return
        index = len(self.links) + (self._current is not None)
        target = target_of(self._html[href.start : href.end])
        link = _Open(index, target, target, _reason(self._html, tag, target, self._tracking_url), [], [])
        if link.reason is None:
            link.url = self._click_url(index, target)
            old = self._html[href.start : href.end]
            self.edits.append(Edit(href.start, old, _escape(link.url, href.quote)))
        if tag.name == "a":
            self._current = link
        else:
            link.alt.append(_value(self._html, tag, "alt"))
            self.links.append(link.close())


def pixel(url: str) -> str:
    """The markup of the invisible picture."""
    return (
        f'<img src="{_escape(url, chr(34))}" width="1" height="1" alt="" '
        'style="display:block;width:1px;height:1px;border:0">'
    )


def target_of(raw: str) -> str:
    """The address a browser reads from an ``href`` (URL standard: strip the ends, drop tab and newline)."""
    decoded = html_scan.decode(raw).strip(_C0_AND_SPACE)
    return decoded.translate({9: None, 10: None, 13: None})


def _reason(html: str, tag: Tag, target: str, tracking_url: str) -> str | None:
    """Why a link is left alone; ``None``: it is tracked."""
    if _value(html, tag, "data-truesend-track").strip().lower() == "off":
        return OFF
    if not target:
        return EMPTY
    if target.startswith("#"):
        return ANCHOR
    scheme = _SCHEME.match(target)
    if scheme is None:
        return RELATIVE
    if scheme.group().lower() not in {"http:", "https:"}:
        return OTHER_SCHEME.format(scheme=scheme.group().lower())
    if tracking_url and target.lower().startswith(tracking_url.rstrip("/").lower() + "/t/"):
        return OWN
    if not _HOST.match(target) or not tokens.is_target(target):
        return UNREADABLE
    marks = f"{_value(html, tag, 'rel')} {_value(html, tag, 'class')}".lower()
    return UNSUBSCRIBE if "unsubscribe" in marks else None


def _value(html: str, tag: Tag, name: str) -> str:
    attribute = tag.get(name)
    return html_scan.decode(html[attribute.start : attribute.end]) if attribute else ""


def _host(target: str) -> str:
    try:
        return urlsplit(target).hostname or ""
    except ValueError:
        return ""


def _clean(text: str) -> str:
    return _WHITE.sub(" ", text).strip()


def _escape(url: str, quote: str) -> str:
    if not quote:
        return _UNQUOTED_UNSAFE.sub(lambda match: f"&#{ord(match.group())};", url)
    return url.replace("&", "&amp;").replace(quote, f"&#{ord(quote)};")


def _apply(html: str, edits: list[Edit]) -> str:
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda one: one.at):
        parts += [html[position : edit.at], edit.new]
        position = edit.at + len(edit.old)
    return "".join([*parts, html[position:]])
