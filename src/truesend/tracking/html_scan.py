"""A scanner for HTML that reports tags and their attributes with exact offsets and changes nothing.

It follows the tokenizer of the HTML standard (https://html.spec.whatwg.org/multipage/parsing.html#tokenization)
where that decides what is a tag: comments and their odd ends, bogus comments, raw text elements, script data,
quoted and unquoted attributes, foreign content. What it does not report as a tag is text, or hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.entities import html5

_SPACE = " \t\n\f\r"
# A tag as nearly all are: every attribute has a value in double quotes. The tokenizer would end it at the same place.
_PLAIN_TAG = re.compile(
    r"""<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[ \t\n\f\r]+[^ \t\n\f\r"'<>/=]+="[^"]*")*[ \t\n\f\r]*/?>"""
)
_NAME_END = re.compile(r"[ \t\n\f\r/>]")
_ATTRIBUTE_NAME_END = re.compile(r"[ \t\n\f\r/>=]")
_UNQUOTED_END = re.compile(r"[ \t\n\f\r>]")
_COMMENT_END = re.compile(r"--!?>")
_SCRIPT_STEP = re.compile(r"<!--|-->|</?script(?=[ \t\n\f\r/>])", re.IGNORECASE)
_HIDDEN = frozenset(
    {"style", "xmp", "iframe", "noembed", "noframes", "script", "title", "textarea", "plaintext"}
)
# A start tag of one of these inside <svg> or <math> closes it ("parsing tokens in foreign content").
_BREAKOUT_NAMES = """
    b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing
    menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var
"""
_BREAKOUT = frozenset(_BREAKOUT_NAMES.split())
_FOREIGN = frozenset({"svg", "math"})
_INTEGRATION = frozenset({"foreignobject", "desc", "annotation-xml", "mi", "mo", "mn", "ms", "mtext"})
_REFERENCE = re.compile(r"&(?:#[xX]([0-9a-fA-F]+);?|#([0-9]+);?|([A-Za-z][A-Za-z0-9]*;?))")
_LONGEST_NAME = max(len(name) for name in html5)
# The C1 range is read as Windows-1252 (standard, "numeric character reference end state").
_WINDOWS = {
    n: bytes((n,)).decode("cp1252") for n in range(0x80, 0xA0) if n not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: name in lower case, where its raw value stands (``start == end``: none), quote."""

    name: str
    start: int
    end: int
    quote: str


class Tag:
    """A start or end tag from ``start`` up to ``end``; its name is in lower case."""

    __slots__ = ("_attributes", "_html", "closing", "end", "name", "start")

    def __init__(self, html: str, name: str, start: int, end: int, closing: bool) -> None:
        self._html = html
        self._attributes: tuple[Attribute, ...] | None = None
        self.name, self.start, self.end, self.closing = name, start, end, closing

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """In the order of the tag; read when they are asked for, which most tags never are."""
        if self._attributes is None:
            after = self.start + len(self.name) + (2 if self.closing else 1)
            self._attributes = _read_attributes(self._html, after)[0]
        return self._attributes

    def get(self, name: str) -> Attribute | None:
        """The attribute of that name; the first one counts, as in browsers."""
        for one in self.attributes:
            if one.name == name:
                return one
        return None


@dataclass(slots=True)
class Text:
    """Text a reader sees, from ``start`` up to ``end``, still with its character references."""

    start: int
    end: int


@dataclass(slots=True)
class Unclosed:
    """A comment, tag or hidden element that begins at ``start`` and never ends: the rest is not shown."""

    start: int


def scan(html: str) -> Iterator[Tag | Text | Unclosed]:
    """Everything a browser would make a tag or visible text of, in the order of the document."""
    position, size = 0, len(html)
    foreign = 0  # how deep inside <svg> or <math>
    while position < size:
        start = html.find("<", position)
        if start < 0:
            yield Text(position, size)
            return
        if start > position:
            yield Text(position, start)
        if found := _PLAIN_TAG.match(html, start):
            slash, name = found.groups()
            tag = Tag(html, name.lower(), start, found.end(), bool(slash))
        else:
            part = _other(html, start, foreign > 0)
            if isinstance(part, int):
                position = part
                continue
            if not isinstance(part, Tag):
                yield part
                position = part.end if isinstance(part, Text) else size
                continue
            tag = part
        yield tag
        position = tag.end
        if foreign or tag.name in _FOREIGN:
            foreign = _foreign_depth(html, tag, foreign)
        if foreign == 0 and tag.name in _HIDDEN and not tag.closing:
            hidden_end = _after_hidden(html, tag)
            if hidden_end is None:
                yield Unclosed(tag.start)
                return
            position = hidden_end


def _other(html: str, start: int, in_foreign: bool) -> Tag | Text | Unclosed | int:
    """What stands at a "<" that begins no plain tag; a number: nothing to see up to there."""
    follows = html[start + 1 : start + 2]
    if follows in {"!", "?"} or (follows == "/" and not _letter(html, start + 2)):
        end = _after_markup(html, start, in_foreign)
        if end is not None:
            return end
        # Also "</" at the very end, which is shown: what is added after it would belong to it.
        return Unclosed(start)
    if follows != "/" and not _letter(html, start + 1):
        return Text(start, start + 1)
    return _read_tag(html, start) or Unclosed(start)


def comments(html: str, parts: Iterable[Tag | Text | Unclosed]) -> Iterator[tuple[int, int]]:
    """From where up to where each comment of ``html`` stands, ``parts`` being all of it; other markup counts too.

    What a style, script or title holds is content, whatever it looks like.
    """
    end, hidden = 0, False
    for start, following in ((part.start, part) for part in parts):
        yield from () if hidden else _markup_between(html, end, start)
        if isinstance(following, Unclosed):
            return
        end = following.end
        hidden = isinstance(following, Tag) and not following.closing and following.name in _HIDDEN
    yield from _markup_between(html, end, len(html))


def _markup_between(html: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        after = _after_markup(html, start, False)
        if after is None or after > end:
            return
        yield start, after
        start = after


def decode(raw: str) -> str:
    """An attribute's value with its character references replaced as a browser does in attributes."""
    return _REFERENCE.sub(_decode_one, raw) if "&" in raw else raw


def _letter(html: str, at: int) -> bool:
    character = html[at : at + 1]
    return character.isascii() and character.isalpha()


def _after_markup(html: str, start: int, in_foreign: bool) -> int | None:
    """The end of a comment, doctype, CDATA section or bogus comment that begins at ``start``."""
    if html.startswith("<!--", start):
        if html.startswith("<!-->", start):
            return start + 5
        if html.startswith("<!--->", start):
            return start + 6
        found = _COMMENT_END.search(html, start + 4)
        return found.end() if found else None
    if in_foreign and html.startswith("<![CDATA[", start):
        at = html.find("]]>", start)
        return at + 3 if at >= 0 else None
    at = html.find(">", start + 2)
    return at + 1 if at >= 0 else None


def _read_tag(html: str, start: int) -> Tag | None:
    closing = html[start + 1] == "/"
    name_start = start + 2 if closing else start + 1
    found = _NAME_END.search(html, name_start)
    if found is None:
        return None
    _, end = _read_attributes(html, found.start())
    return None if end is None else Tag(html, html[name_start : found.start()].lower(), start, end, closing)


def _read_attributes(html: str, position: int) -> tuple[tuple[Attribute, ...], int | None]:
    """Attributes from ``position`` on, and where the tag ends; None where it never does."""
    attributes: list[Attribute] = []
    size = len(html)
    while position < size:
        character = html[position]
        if character == ">":
            return tuple(attributes), position + 1
        if character in _SPACE or character == "/":
            position += 1
            continue
        attribute, position = _read_attribute(html, position)
        if attribute is None:
            break
        attributes.append(attribute)
    return (), None


def _read_attribute(html: str, start: int) -> tuple[Attribute | None, int]:
    size = len(html)
    found = _ATTRIBUTE_NAME_END.search(html, start + 1)  # a leading "=" belongs to the name
    if found is None:
        return None, size
    name, position = html[start : found.start()].lower(), found.start()
    while position < size and html[position] in _SPACE:
        position += 1
    if position >= size:
        return None, size
    if html[position] != "=":
        return Attribute(name, position, position, ""), position
    position += 1
    while position < size and html[position] in _SPACE:
        position += 1
    if position >= size:
        return None, size
    quote = html[position]
    if quote in {'"', "'"}:
        end = html.find(quote, position + 1)
        return (None, size) if end < 0 else (Attribute(name, position + 1, end, quote), end + 1)
    found = _UNQUOTED_END.search(html, position)
    return (None, size) if found is None else (Attribute(name, position, found.start(), ""), found.start())


def _after_hidden(html: str, tag: Tag) -> int | None:
    """Where the content of an element whose content is no markup ends: at its end tag."""
    if tag.name == "plaintext":
        return None
    if tag.name == "script":
        return _after_script(html, tag.end)
    found = re.compile(rf"</{tag.name}(?=[ \t\n\f\r/>])", re.IGNORECASE).search(html, tag.end)
    return found.start() if found else None


def _after_script(html: str, position: int) -> int | None:
    escaped = doubly = False
    for step in _SCRIPT_STEP.finditer(html, position):
        word = step.group().lower()
        if word == "<!--":
            escaped = True
        elif word == "-->":
            escaped = doubly = False
        elif word == "<script":
            doubly = doubly or escaped
        elif doubly:
            doubly = False
        else:
            return step.start()
    return None


def _foreign_depth(html: str, tag: Tag, depth: int) -> int:
    if tag.name in _FOREIGN:
        if tag.closing:
            return max(0, depth - 1)
        return depth if html[tag.end - 2] == "/" else depth + 1
    if depth and tag.name in _INTEGRATION:
        # Inside these HTML's own rules hold again; nesting deeper than one level does not occur in mail.
        return depth if tag.closing else 0
    return 0 if depth and not tag.closing and tag.name in _BREAKOUT else depth


def _decode_one(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if name is None:
        return _character(int(hexadecimal, 16) if hexadecimal else int(decimal))
    if name[-1] == ";" and (plain := html5.get(name)) is not None:
        return plain
    for size in range(min(len(name), _LONGEST_NAME), 1, -1):
        value = html5.get(name[:size])
        if value is None:
            continue
        if name[size - 1] != ";" and (size < len(name) or match.string[match.end() : match.end() + 1] == "="):
            return match.group()  # "&copy=1" and "&copyright" stay as they are in an attribute
        return value + name[size:]
    return match.group()


def _character(number: int) -> str:
    if number == 0 or number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return "\N{REPLACEMENT CHARACTER}"
    return _WINDOWS.get(number) or chr(number)
