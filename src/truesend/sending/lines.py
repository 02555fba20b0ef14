"""Text that has to stay on one line: a subject, a name, the name of a file. Pure.

A line break in a header begins the next one, so none is taken, and none is quietly made a blank: what arrives is what
was written, or it is refused in words.
"""

from __future__ import annotations

import re

PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""What a line may be, for people and JSON Schema alike: control characters are Unicode's Cc, with Zl and Zp."""
_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHOWN = 30


def broken(text: str) -> bool:
    """Whether there is a line break or control character in it."""
    return _BREAK.search(text) is not None


def problem(what: str, text: str) -> str:
    """A sentence that says where ``what`` has its first such character; empty where it has none."""
    found = _BREAK.search(text)
    if found is None:
        return ""
    before = text[: found.start()].strip()
    where = f"after “{before[-_SHOWN:]}”" if before else "at its beginning"
    return f"{what} contains a line break or control character {where}; take it out."


def storable(text: str) -> bool:
    """PostgreSQL takes neither NUL nor half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text
