"""What a provider would fill in by itself, written so that it stays as it was written. Pure.

A mail that says `~Contact.FirstName~` to a reader must say so when it arrives, also where the provider replaces such
words by what it knows of a person. A character reference means the same to every reader of HTML and nothing to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from truesend.tracking.html_scan import Tag, Text, scan

# Their content is text with references, though nobody sees tags in it.
_REFERENCES_COUNT = frozenset({"title", "textarea"})


def kept(html: str, fills_in: str) -> str:
    """``html`` with the first character of everything that ``fills_in`` matches as a reference; else as it was.

    Where a reference means nothing (styles, scripts, comments) a blank after that character does as well.
    """
    # Looked at from each place anew: of "~a~b~" the second may begin a field as well as the first.
    places = [match.start() for match in re.finditer(f"(?={fills_in})", html)]
    if not places:
        return html
    spoken = _spoken(html)
    parts: list[str] = []
    position, current = 0, next(spoken, None)
    for at in places:
        while current is not None and current[1] <= at:
            current = next(spoken, None)
        read = current is not None and current[0] <= at
        parts += [html[position:at], f"&#{ord(html[at])};" if read else f"{html[at]} "]
        position = at + 1
    # A reference has no such character, so what stood before it may look like a beginning now.
    return kept("".join([*parts, html[position:]]), fills_in)


def _spoken(html: str) -> Iterator[tuple[int, int]]:
    """Where references are read: text, values of attributes, titles; from, up to, in order."""
    end_of: Tag | None = None
    for part in scan(html):
        if end_of is not None:
            yield end_of.end, part.start
            end_of = None
        if isinstance(part, Text):
            yield part.start, part.end
        elif isinstance(part, Tag):
            for attribute in part.attributes:
                yield attribute.start, attribute.end
            if part.name in _REFERENCES_COUNT and not part.closing:
                end_of = part
