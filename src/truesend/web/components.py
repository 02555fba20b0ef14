"""The small parts pages are drawn with: icons, the state of a verdict, and links to built assets. Pure but for the
build's list of files, which is read once per build.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

_LINE = 'fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"'

# Drawn on a 16 by 16 grid. State shapes differ in outline, so that they are told apart without colour.
ICONS: dict[str, str] = {
    "ok": '<circle cx="8" cy="8" r="7" fill="currentColor" opacity=".16"/>'
    f'<path d="M4.6 8.3l2.3 2.3 4.5-4.9" {_LINE} stroke-width="1.9"/>',
    "warn": '<path d="M8 1.8l6.6 11.8H1.4z" fill="currentColor" opacity=".18"/>'
    f'<path d="M8 6v3.6M8 11.6v.2" {_LINE} stroke-width="1.9"/>',
    "bad": '<path d="M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z" fill="currentColor" opacity=".16"/>'
    f'<path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" {_LINE} stroke-width="1.9"/>',
    "none": '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" '
    'stroke-dasharray="2.6 2.6"/>',
    "accent": f'<path d="M2.5 8h10M9 4.5L12.5 8 9 11.5" {_LINE}/>',
    "eye": '<path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z" fill="none" '
    'stroke="currentColor" stroke-width="1.5"/><circle cx="8" cy="8" r="2" fill="currentColor"/>',
    "link": '<path d="M6.5 9.5l3-3M7 4.5l1.3-1.3a2.8 2.8 0 014 4L11 8.5M9 11.5l-1.3 1.3a2.8 2.8 0 01-4-4L5 7.5" '
    f"{_LINE}/>",
    "reply": f'<path d="M6.5 3.5l-4 4 4 4M3 7.5h6.5a4 4 0 014 4v1" {_LINE}/>',
    "send": f'<path d="M14 2L7 9M14 2L9.5 14 7 9 2 6.5z" {_LINE}/>',
    "bot": f'<rect x="3" y="5" width="10" height="8" rx="2" {_LINE}/>'
    f'<path d="M8 5V2.5M6 8.5v1M10 8.5v1" {_LINE}/>',
    "mail": f'<rect x="1.8" y="3.2" width="12.4" height="9.6" rx="2" {_LINE}/><path d="M2.4 4.6L8 9l5.6-4.4" {_LINE}/>',
    "plug": f'<path d="M5.5 2v3M10.5 2v3M3.5 5h9v2.5a4.5 4.5 0 01-9 0zM8 12v2.5" {_LINE}/>',
    "person": f'<circle cx="8" cy="5.2" r="2.7" {_LINE}/><path d="M2.8 13.8a5.2 5.2 0 0110.4 0" {_LINE}/>',
    "people": f'<circle cx="6" cy="5.4" r="2.3" {_LINE}/><path d="M1.6 13.4a4.4 4.4 0 018.8 0" {_LINE}/>'
    f'<path d="M10.4 3.4a2.2 2.2 0 010 4.1M12 9.6a4.3 4.3 0 012.4 3.8" {_LINE}/>',
    "note": f'<path d="M3.5 2h6l3 3v9h-9zM9.2 2.2v3.2h3M5.8 8.2h4.6M5.8 10.8h4.6" {_LINE}/>',
    "pen": f'<path d="M10.8 2.6l2.6 2.6L5.6 13H3v-2.6zM9 4.4L11.6 7" {_LINE}/>',
    "bold": f'<path d="M5 3h3.8a2.4 2.4 0 010 4.8H5zM5 7.8h4.4a2.6 2.6 0 010 5.2H5z" {_LINE} stroke-width="1.8"/>',
    "italic": f'<path d="M7 3h5M4 13h5M9.8 3L6.2 13" {_LINE}/>',
    "bullets": f'<path d="M6.5 4h7M6.5 8h7M6.5 12h7M2.8 4h.01M2.8 8h.01M2.8 12h.01" {_LINE} '
    'stroke-width="1.7"/>',
    "numbers": f'<path d="M7 4h6.5M7 8h6.5M7 12h6.5M2.5 3l1-.6v3.2M2.3 10.6c.6-.8 2-.5 1.8.5'
    f'-.1.7-1.2 1.3-1.8 2h2" {_LINE}/>',
    "quote": f'<path d="M3 3v10M6.5 5h7M6.5 8h7M6.5 11h4" {_LINE}/>',
    "clip": f'<path d="M12.8 7.2l-5 5a3 3 0 01-4.2-4.2l5.3-5.3a2 2 0 012.8 2.8L6.5 10.7a.95.95 0 01-1.35-1.35L9.6 4.9" '
    f"{_LINE}/>",
    "close": f'<path d="M4.5 4.5l7 7M11.5 4.5l-7 7" {_LINE}/>',
    "undo": f'<path d="M5.5 3L2.5 6l3 3M2.8 6H9a4 4 0 010 8H6" {_LINE}/>',
    "redo": f'<path d="M10.5 3l3 3-3 3M13.2 6H7a4 4 0 000 8h3" {_LINE}/>',
}

# How each verdict looks: the name of a state, which is a colour and a shape at once.
VERDICT_STATES: dict[str, str] = {
    "working": "ok",
    "attention": "warn",
    "broken": "bad",
    "unproven": "none",
    "disconnected": "none",
}

_DAYS = {"o": "good", "w": "with a warning", "b": "broken", "n": "not connected"}


def icon(name: str) -> SafeString:
    """The inline picture of that name, hidden from screen readers: the words beside it carry the meaning."""
    return mark_safe(  # noqa: S308 - the pictures are constants of this module
        f'<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{ICONS[name]}</svg>'
    )


@lru_cache(maxsize=256)
def state(name: str, words: str) -> SafeString:
    """Shape, colour and words together; a list says the same few a hundred times."""
    return format_html('<span class="state is-{}">{}<span>{}</span></span>', name, icon(name), words)


def strip(days: str) -> SafeString:
    """The picture of the last days, oldest first, from one letter a day: ``o`` good, ``w`` warned, ``b`` broken,
    ``n`` not connected. It says its counts in words.
    """
    counts = ", ".join(f"{days.count(letter)} {word}" for letter, word in _DAYS.items() if letter in days)
    bars = format_html_join(
        "", '<i class="{}"></i>', ((letter if letter in _DAYS else "n",) for letter in days)
    )
    return format_html(
        '<span class="strip" role="img" aria-label="{}">{}</span>', f"Last {len(days)} days: {counts}", bars
    )


@dataclass(frozen=True)
class Asset:
    """What one entry of the front-end build needs, as paths below the static root."""

    script: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]


class AssetsMissing(RuntimeError):
    """The front end was not built, or the entry is not part of it."""


@lru_cache(maxsize=4)
def _build(path: str, changed: int) -> dict[str, dict[str, object]]:
    del changed  # part of the key: a new build is read again
    content: dict[str, dict[str, object]] = json.loads(Path(path).read_text(encoding="utf-8"))
    return content


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def asset(entry: str) -> Asset:
    """Look up an entry such as ``main.ts``. Raises :class:`AssetsMissing` with what to do."""
    found = finders.find("assets.json")
    if not isinstance(found, str):
        raise AssetsMissing("The front end is not built: run `make setup`.")
    build = _build(found, Path(found).stat().st_mtime_ns)
    try:
        chunk = build[f"src/{entry}"]
    except KeyError:
        raise AssetsMissing(f"The front end's build has no entry {entry}.") from None
    preloads = tuple(str(build[name]["file"]) for name in _names(chunk.get("imports")))
    return Asset(str(chunk["file"]), _names(chunk.get("css")), preloads)


class _Text(HTMLParser):
    _BLOCKS = frozenset({"p", "li", "blockquote", "div", "ul", "ol"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._BLOCKS:
            self.parts.append("\n" if tag in {"li", "ul", "ol"} else "\n\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain_text(html: str) -> str:
    """A draft's HTML as the text somebody without scripts edits: a blank line between paragraphs."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = "".join(parser.parts).split("\n")
    text = "\n".join(line.rstrip() for line in lines).strip()
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text
