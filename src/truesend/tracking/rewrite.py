"""Turning a mail's HTML into its tracked form: link targets and one pixel change, every other byte stays.

Pure. Only ``href`` values of ``<a>`` and ``<area>`` that are http(s) addresses are replaced. Comments (and
so Outlook's conditional comments and VML), raw text, unfinished markup, quoting and white space stay. Our own
marks in quoted text go first: a tracked link gets its target back before it is tracked anew, an old pixel goes, and so
does a comment that carried a delivery's mark.
"""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from truesend.tracking import html_scan, quoted, reasons, tokens
from truesend.tracking.html_scan import Attribute, Tag, Text, Unclosed
from truesend.tracking.quoted import OwnMarks
from truesend.tracking.shown import agree, host_of, host_shown

CLIPS_AT = 90 * 1024
"""Bytes. Gmail cuts a mail at about 102 KB and hides the rest, and a pixel with it; we leave a margin."""

_TEXT_LIMIT = 200
_NAMED_LIMIT = 3
_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_UNQUOTED_UNSAFE = re.compile(r"[\s\"'`=<>&\x00-\x20]")
_LINKS = frozenset({"a", "area"})
_BREAKS = frozenset({"br", "p", "div", "td", "li"})
_WHITE = re.compile(r"\s+")
_DOCTYPE = re.compile(r"\ufeff?\s*(?:<!--.*?-->\s*)*<!doctype[^>]*>", re.IGNORECASE | re.DOTALL)

CLIPPED_TITLE = "Gmail cuts off emails of this size."
CLIPPED_SENTENCE = (
    "People may not see the end. Opens are counted: the invisible picture stands at the beginning."
)
CLIPPED = f"{CLIPPED_TITLE} {CLIPPED_SENTENCE}"


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the mail, in document order.

    ``target`` is the address as a browser reads it (character references decoded, stripped); ``url`` what
    the recipient gets, equal to ``target`` when the link was left alone, and then ``reason`` says why.
    ``text`` is what the link shows: its text, else the alternative text of its picture, else the host.
    ``shows`` is the host this text names, where the text is an address that a tracked link would not lead to.
    """

    index: int
    url: str
    target: str
    text: str
    reason: str | None
    shows: str = ""

    @property
    def is_web(self) -> bool:
        """Whether it leads to an http(s) address, readable or not."""
        return self.target[:6].lower().startswith(("http:", "https:"))


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement: ``old`` stood at offset ``at`` of the original, ``new`` stands there now."""

    at: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The tracked HTML, all links of the mail, the edits that lead from one to the other, and warnings.

    ``taken_out`` counts our own marks in quoted text: links that got their target back, pixels, and comments.
    """

    html: str
    links: list[Link]
    edits: list[Edit]
    warnings: list[str]
    taken_out: int

    @property
    def tracked(self) -> list[Link]:
        """The links that were replaced."""
        return [link for link in self.links if link.reason is None]


@dataclass
class _Open:
    """A link whose text is still being read; ``old`` is its target as it stands there, ``own``: one of ours."""

    index: int
    href: Attribute
    old: str
    target: str
    own: bool
    reason: str | None
    text: list[str]
    alt: list[str]


def rewrite(
    html: str,
    *,
    click_url: Callable[[int, str], str] | None,
    pixel_url: str | None,
    tracking_url: str = "",
    keys: tokens.Keys = (),
    track_shown: bool = False,
    parts: Iterable[Tag | Text | Unclosed] | None = None,
) -> Rewritten:
    """The tracked form of ``html``.

    ``click_url(index, target)`` gives the address that replaces a target; without it no link is tracked. ``pixel_url``
    is the picture to add, or ``None``. Links below ``tracking_url`` (default: where the pixel is) are our own and stay,
    but for those that ``keys`` verify, which get their targets back. ``track_shown``: track links whose text is another
    address too. ``parts`` are those of ``html``, where they have been read already.
    """
    if not tracking_url and pixel_url:
        tracking_url = pixel_url.partition("/t/o/")[0]
    parts = html_scan.scan(html) if parts is None else parts
    walk = _Walk(html, click_url, tracking_url, OwnMarks(keys), track_shown)
    if quoted.may_hold_comments(html):
        parts = list(parts)
        walk.take_out(quoted.comments(html, parts))
    see, current = walk.see, False
    for part in parts:
        # Most of a mail is neither a link nor in one.
        if current or type(part) is not Text:
            current = see(part)
    walk.finish_link()
    links, edits = sorted(walk.links, key=lambda link: link.index), walk.edits
    warnings = _warnings(links)
    if pixel_url is not None:
        at = walk.end if walk.body_end is None else walk.body_end
        if is_clipped(html, edits):
            warnings.insert(0, CLIPPED)
            at = walk.beginning()
        edits.append(Edit(at, "", pixel(pixel_url)))
    return Rewritten(_apply(html, edits), links, edits, warnings, walk.taken_out)


def is_clipped(html: str, edits: Iterable[Edit] = ()) -> bool:
    """Whether Gmail cuts the mail off, once ``edits`` are made: links through the tracker are longer."""
    grown = sum(_size(one.new) - _size(one.old) for one in edits)
    return _size(html) + grown > CLIPS_AT


class _Walk:
    """Reads the parts of a document in order and gathers links, edits and the places for the pixel."""

    def __init__(
        self,
        html: str,
        click_url: Callable[[int, str], str] | None,
        tracking_url: str,
        own: OwnMarks,
        track_shown: bool,
    ) -> None:
        self._html, self._click_url, self._tracking_url = html, click_url, tracking_url
        self._own, self._track_shown = own, track_shown
        self._tracker_host = host_of(tracking_url)
        self._current: _Open | None = None
        self._body_start: int | None = None
        self._head_end: int | None = None
        self._html_start: int | None = None
        self.links: list[Link] = []
        self.edits: list[Edit] = []
        self.taken_out = 0
        self.body_end: int | None = None
        self.end = len(html)

    def see(self, part: Tag | Text | Unclosed) -> bool:
        """Take in one part; whether a link's text is being read after it, outside of which no text matters."""
        if isinstance(part, Text):
            if self._current:
                self._current.text.append(html_module.unescape(self._html[part.start : part.end]))
        elif isinstance(part, Unclosed):
            self.end = part.start
        elif part.name in _LINKS:
            self._see_link(part)
        elif part.name == "img":
            self._see_picture(part)
        elif part.name in {"body", "head", "html"}:
            self._see_frame(part)
        elif self._current and part.name in _BREAKS:
            self._current.text.append(" ")
        return self._current is not None

    def take_out(self, places: Iterable[tuple[int, int]]) -> None:
        """What stands there is a mark of ours, and goes."""
        for start, end in places:
            self.edits.append(Edit(start, self._html[start:end], ""))
            self.taken_out += 1

    def finish_link(self) -> None:
        """The link whose text was read ends here."""
        if self._current:
            self._close(self._current)
            self._current = None

    def beginning(self) -> int:
        """Where the first thing of the body can stand; without a body's tag, after what comes before one."""
        for at in (self._body_start, self._head_end, self._html_start):
            # A quoted mail brings a body of its own, perhaps far below.
            if at is not None and _size(self._html[:at]) <= CLIPS_AT * 3 // 4:
                return at
        found = _DOCTYPE.match(self._html)
        return found.end() if found else 0

    def _see_frame(self, tag: Tag) -> None:
        if tag.name == "body":
            if tag.closing:
                self.body_end = tag.start
            elif self._body_start is None:
                self._body_start = tag.end
        elif tag.name == "head":
            if tag.closing and self._head_end is None:
                self._head_end = tag.end
        elif self._html_start is None and not tag.closing:
            self._html_start = tag.end

    def _see_picture(self, tag: Tag) -> None:
        if self._own.is_pixel(reasons.value(self._html, tag, "src").strip(_C0_AND_SPACE)):
            self.edits.append(Edit(tag.start, self._html[tag.start : tag.end], ""))
            self.taken_out += 1
        elif self._current:
            self._current.alt.append(reasons.value(self._html, tag, "alt"))

    def _see_link(self, tag: Tag) -> None:
        if tag.name == "a":
            self.finish_link()
        href = None if tag.closing else tag.get("href")
        if href is None:
            return
        index = len(self.links) + (self._current is not None)
        old = self._html[href.start : href.end]
        target = target_of(old)
        before = self._own.target(target)
        if before is not None:
            target = before
        reason = reasons.of_tag(self._html, tag, target, self._tracking_url)
        link = _Open(index, href, old, target, before is not None, reason, [], [])
        if tag.name == "a":
            self._current = link
        else:
            link.alt.append(reasons.value(self._html, tag, "alt"))
            self._close(link)

    def _close(self, link: _Open) -> None:
        text = _clean("".join(link.text))
        shows = ""
        if link.reason is None:
            shows = host_shown(text)
            if agree(shows, self._tracker_host):
                shows = ""
            link.reason = reasons.of_text(text) or self._unwanted(link.index, link.target, shows)
        url = link.target
        if link.reason is None and self._click_url:
            url = self._click_url(link.index, link.target)
        if link.reason is None or link.own:
            self.edits.append(Edit(link.href.start, link.old, _escape(url, link.href.quote)))
        self.taken_out += link.own
        name = text or _clean(" ".join(link.alt)) or host_of(link.target) or link.target
        self.links.append(Link(link.index, url, link.target, name[:_TEXT_LIMIT], link.reason, shows))

    def _unwanted(self, index: int, target: str, shows: str) -> str | None:
        if self._click_url is None:
            return reasons.UNTRACKED
        if index > tokens.MAX_LINK:
            return reasons.TOO_MANY
        if not shows or self._track_shown or agree(shows, host_of(target)):
            return None
        return reasons.SHOWN_OTHER


def _warnings(links: Iterable[Link]) -> list[str]:
    """What a mail program may hold against the links, in one sentence that names the first ones."""
    elsewhere = [
        f"“{link.text}” leads to {host_of(link.target)}"
        for link in links
        if link.shows and not agree(link.shows, host_of(link.target))
    ]
    return (
        [f"{_named(elsewhere)}: mail programs warn of a link that shows another address."]
        if elsewhere
        else []
    )


def _named(things: list[str]) -> str:
    shown = ", ".join(things[:_NAMED_LIMIT])
    more = len(things) - _NAMED_LIMIT
    return f"{shown} and {more} more" if more > 0 else shown


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


def _size(html: str) -> int:
    return len(html.encode(errors="replace"))


def _clean(text: str) -> str:
    return _WHITE.sub(" ", text).strip()


def _escape(url: str, quote: str) -> str:
    if not quote:
        return _UNQUOTED_UNSAFE.sub(lambda match: f"&#{ord(match.group())};", url)
    return url.replace("&", "&amp;").replace(quote, f"&#{ord(quote)};")


def _apply(html: str, edits: list[Edit]) -> str:
    parts: list[str] = []
    position = 0
    # What is put in at a place comes before what is taken out there.
    for edit in sorted(edits, key=lambda one: (one.at, len(one.old))):
        parts += [html[position : edit.at], edit.new]
        position = edit.at + len(edit.old)
    return "".join([*parts, html[position:]])
