"""Merge fields: `{{first_name|there}}` in a subject, a text and HTML, filled anew for each copy. Pure.

A field is a name in double braces, with what stands in its place where a person has no value behind a bar. The name is
that of a column, in any spelling that :func:`key` brings to the same. `{{{{` writes two braces. Nothing else changes by
a byte: what a value may become follows from where its field stands, and a value is never read for fields again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from html import escape
from urllib.parse import quote, unquote

from truesend.tracking import html_scan
from truesend.tracking.html_scan import Tag, Text, Unclosed

LONGEST_NAME = 60
_LITERAL = "{{"
_ANY = re.compile(r"\{\{\{\{|\{\{([^{}]{1,600})\}\}|\{\{", re.DOTALL)
# Editors and browsers write braces in a link target as percent signs.
_IN_TARGET = re.compile(
    r"(?:\{|%7B){4}|(?:\{|%7B){2}((?:(?!\{|\}|%7[BD]).){1,600})(?:\}|%7D){2}|(?:\{|%7B){2}",
    re.IGNORECASE | re.DOTALL,
)
_BAR_IN_TARGET = re.compile(r"\||%7C", re.IGNORECASE)
_NO_NAME = re.compile(r"[\W_]+")
_TARGETS = frozenset({"href", "src", "background", "action", "cite", "poster", "longdesc", "xlink:href"})
# Here a value would be read as something else than text.
_MISPLACED = frozenset({"style", "srcdoc", "srcset"})
_RUNS = re.compile(r"\s*(?:javascript|vbscript|data)\s*:", re.IGNORECASE)
_SCHEME = re.compile(r"(https?://|mailto:|tel:)\S", re.IGNORECASE)
_COMMENT = re.compile(r"(<!--.*?--!?>)", re.DOTALL)
_SHOWN = 60


class Place(Enum):
    """Where a field stands, which says how its value is written there."""

    LINE = "the subject"
    PLAIN = "the plain text"
    TEXT = "the text"
    ATTRIBUTE = "an attribute"
    BARE = "an attribute without quotation marks"
    TARGET = "a link"
    MAILTO = "a link to an address"
    # The field begins the target: its value is the whole address, or the beginning of it.
    ADDRESS = "a whole link"
    BARE_ADDRESS = "a whole link without quotation marks"


@dataclass(frozen=True)
class Field:
    """One field; ``written`` is how it stands in the mail, ``default`` is None where it has none."""

    name: str
    default: str | None
    written: str
    place: Place


Pieces = tuple[str | Field, ...]


@dataclass(frozen=True)
class Template:
    """A mail with its fields found; ``problems`` are sentences about what looks like a field and is none."""

    subject: Pieces
    html: Pieces
    text: Pieces
    problems: tuple[str, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All of them, as they come in subject, HTML and text."""
        return tuple(
            one for part in (self.subject, self.html, self.text) for one in part if isinstance(one, Field)
        )


@dataclass(frozen=True)
class Filled:
    """What one person gets."""

    subject: str
    html: str
    text: str


class Unfilled(ValueError):
    """A person's values do not fill the fields; the message says which, as the end of a sentence about them."""


def key(title: str) -> str:
    """The name of a column or field as it is compared: “First Name”, `first-name` and `FIRST_NAME` are one."""
    return _NO_NAME.sub("_", unicodedata.normalize("NFKC", title).casefold()).strip("_")[:LONGEST_NAME]


@lru_cache(maxsize=16)
def template(subject: str, html: str, text: str) -> Template:
    """The fields of a mail."""
    problems: list[str] = []
    return Template(
        _pieces(subject, Place.LINE, problems),
        tuple(_of_html(html, problems)),
        _pieces(text, Place.PLAIN, problems),
        tuple(dict.fromkeys(problems)),
    )


def fill(found: Template, values: Mapping[str, str]) -> Filled:
    """The mail with a person's values in it, by :func:`key`. Raises :class:`Unfilled`."""
    return Filled(line(found, values), _joined(found.html, values), _joined(found.text, values))


def line(found: Template, values: Mapping[str, str]) -> str:
    """The subject alone, on one line; raises the same."""
    filled = _joined(found.subject, values)
    return filled if len(found.subject) < 2 else " ".join(filled.split())


def unfilled(found: Template, values: Mapping[str, str]) -> str:
    """What keeps a person's values from filling the fields, as the end of a sentence; empty for nothing."""
    for one in found.fields:
        try:
            _written(one, values)
        except Unfilled as error:
            return str(error)
    return ""


def unknown(found: Template, names: frozenset[str]) -> list[Field]:
    """The fields that nobody has a value for, each name once; ``names`` are the columns there are."""
    return list({one.name: one for one in found.fields if one.name not in names}.values())


def _joined(pieces: Pieces, values: Mapping[str, str]) -> str:
    return "".join(one if isinstance(one, str) else _written(one, values) for one in pieces)


def _written(one: Field, values: Mapping[str, str]) -> str:
    value = values.get(one.name, "").strip()
    if not value:
        if one.default is None:
            raise Unfilled(f"has nothing for {one.written}")
        value = one.default
    return _WRITERS[one.place](value, one)


def _line(value: str, _: Field) -> str:
    return " ".join(value.split())


def _plain(value: str, _: Field) -> str:
    return value


def _text(value: str, _: Field) -> str:
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return escape(lines).replace("\n", "<br>")


def _attribute(value: str, _: Field) -> str:
    return escape(value)


def _bare(value: str, _: Field) -> str:
    """References only: a blank or a bracket would end a value that has no quotation marks."""
    return "".join(one if one.isalnum() or one in "-._" else f"&#{ord(one)};" for one in value)


def _target(value: str, _: Field) -> str:
    return quote(value, safe="")


def _mailto(value: str, _: Field) -> str:
    return quote(value, safe="@")


def _whole(value: str, one: Field) -> str:
    if value and not _SCHEME.match(value):
        raise Unfilled(f"has “{_short(value)}” for {one.written}, which is no web address such as https://…")
    # A percent sign stays: whoever has a whole address has it encoded already.
    return quote(value, safe="%/:?#[]@!$&'()*+,;=~")


def _address(value: str, one: Field) -> str:
    return escape(_whole(value, one))


def _bare_address(value: str, one: Field) -> str:
    return _bare(_whole(value, one), one)


_WRITERS = {
    Place.LINE: _line,
    Place.PLAIN: _plain,
    Place.TEXT: _text,
    Place.ATTRIBUTE: _attribute,
    Place.BARE: _bare,
    Place.TARGET: _target,
    Place.MAILTO: _mailto,
    Place.ADDRESS: _address,
    Place.BARE_ADDRESS: _bare_address,
}


# -- finding --------------------------------------------------------------------------------------------------------


def _pieces(text: str, place: Place, problems: list[str]) -> Pieces:
    """``text`` of one place, cut at its fields."""
    target = place in {Place.TARGET, Place.MAILTO, Place.ADDRESS, Place.BARE_ADDRESS}
    pieces: list[str | Field] = []
    position = 0
    for match in (_IN_TARGET if target else _ANY).finditer(text):
        pieces.append(text[position : match.start()])
        position = match.end()
        inner = match[1]
        if inner is None:
            if len(match[0]) == len(_LITERAL) or match[0].lower() in {"%7b%7b", "{%7b", "%7b{"}:
                problems.append(_unclosed(text, match.start(), place))
            pieces.append("%7B%7B" if target else _LITERAL)
        else:
            found = _field(inner, place, target)
            if found is None:
                problems.append(f"“{_short(match[0])}” names no column. Write {{{{{{{{ for two braces.")
            else:
                pieces.append(found)
    pieces.append(text[position:])
    return tuple(one for one in pieces if one)


def _field(inner: str, place: Place, target: bool) -> Field | None:
    if target:
        named, *rest = _BAR_IN_TARGET.split(html_scan.decode(inner), maxsplit=1)
        name, default = unquote(named), unquote(rest[0]).strip() if rest else None
    else:
        decoded = inner if place in {Place.LINE, Place.PLAIN} else html_scan.decode(inner)
        name, bar, behind = decoded.partition("|")
        default = " ".join(behind.split()) if bar else None
    wanted = key(name)
    if not wanted:
        return None
    shown = " ".join(name.split())
    return Field(wanted, default, f"{{{{{shown}}}}}", place)


def _unclosed(text: str, at: int, place: Place) -> str:
    shown = _short(text[at : at + 2 * _SHOWN])
    formatted = " or has formatting inside it" if place is Place.TEXT else ""
    return f"“{shown}” begins a field that does not end{formatted}. Write {{{{{{{{ for two braces."


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _of_html(html: str, problems: list[str]) -> Iterator[str | Field]:
    """The HTML cut at its fields: in text, in values of attributes, in titles and conditional comments."""
    if "{{" not in html and "%7b" not in html.lower() and "{%7b" not in html.lower():
        yield from (html,) if html else ()
        return
    position, hides = 0, ""
    for part in html_scan.scan(html):
        if part.start > position:
            yield from _between(html[position : part.start], hides, problems)
        if isinstance(part, Unclosed):
            position = part.start
            break
        if isinstance(part, Text):
            yield from _pieces(html[part.start : part.end], Place.TEXT, problems)
            hides = ""
        else:
            yield from _of_tag(html, part, problems)
            hides = "" if part.closing else part.name
        position = part.end
    if position < len(html):
        yield from _between(html[position:], hides, problems)


def _between(hidden: str, hides: str, problems: list[str]) -> Iterator[str | Field]:
    """What the scanner reports nothing of: comments, and what styles, scripts and titles hold."""
    if hides in {"title", "textarea"}:
        yield from _pieces(hidden, Place.TEXT, problems)
        return
    for one in _COMMENT.split(hidden) if hidden.startswith("<!--") else [hidden]:
        # Outlook shows what stands in these. An escaped value can end no comment.
        shows = one.startswith("<!--[if")
        yield from _pieces(one, Place.ATTRIBUTE, problems) if shows else [one] if one else []


def _of_tag(html: str, tag: Tag, problems: list[str]) -> Iterator[str | Field]:
    position = tag.start
    for one in tag.attributes:
        raw = html[one.start : one.end]
        if "{{" not in raw and "%7b" not in raw.lower():
            continue
        if one.name in _MISPLACED or one.name.startswith("on"):
            if _ANY.search(raw):
                problems.append(
                    f"“{_short(raw)}”: a field cannot stand in the attribute “{one.name}”. Take it out there."
                )
            continue
        yield html[position : one.start]
        place = Place.ATTRIBUTE if one.quote else Place.BARE
        if one.name in _TARGETS:
            place = _place_in(raw, one.quote)
            if _RUNS.match(html_scan.decode(raw)):
                problems.append(f"“{_short(raw)}”: a field cannot stand in such a link. Take it out there.")
        yield from _of_target(raw, place, problems) if one.name in _TARGETS else _pieces(raw, place, problems)
        position = one.end
    yield html[position : tag.end]


def _place_in(raw: str, quotation: str) -> Place:
    begins = _IN_TARGET.match(raw.lstrip())
    if begins is not None and begins[1] is not None:
        return Place.ADDRESS if quotation else Place.BARE_ADDRESS
    return Place.MAILTO if raw.lstrip()[:7].lower() == "mailto:" else Place.TARGET


def _of_target(raw: str, place: Place, problems: list[str]) -> Iterator[str | Field]:
    """Only the first field of a target can be the whole address; those after it are values in one."""
    first = True
    for one in _pieces(raw, place, problems):
        if isinstance(one, Field) and not first:
            later = Place.MAILTO if place is Place.MAILTO else Place.TARGET
            yield Field(one.name, one.default, one.written, later)
            continue
        first = first and not isinstance(one, Field)
        yield one
