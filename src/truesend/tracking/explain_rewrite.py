"""``truesend explain rewrite``: what becomes of a mail's HTML, without a database.

Links are signed by this installation's keys, for a delivery that does not exist: they lead to their targets where its
tracker answers, and nobody is counted.
"""

from __future__ import annotations

import codecs
import json
import re
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from truesend import env
from truesend.tracking import tokens
from truesend.tracking.rewrite import Rewritten, rewrite

_NOBODY = UUID(int=0)
_META = re.compile(rb"<meta[^>]{1,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_META_WITHIN = 4096  # bytes; the standard asks for 1,024, mail editors put more before it
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# Read as other things than text by no browser; a page whose bytes can be read for "<meta" is not UTF-16.
_NOT_FOR_PAGES = frozenset({"utf-7", "idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"})
_WIDTH = 40


@dataclass(frozen=True)
class Decoded:
    """A file's text, its encoding, and a sentence where the encoding is a guess."""

    text: str
    encoding: str
    doubt: str = ""


def decode(content: bytes) -> Decoded:
    """Any bytes as text: by byte order mark, by what the page says of itself, as UTF-8, else as Latin-1."""
    for mark, encoding in _BOMS:
        if content.startswith(mark) and (text := _try(content, encoding)) is not None:
            return Decoded(text, encoding)
    said = _META.search(content[:_META_WITHIN])
    named = _codec(said[1].decode("ascii")) if said else ""
    for encoding in (named, "utf-8"):
        if encoding and (text := _try(content, encoding)) is not None:
            return Decoded(text, encoding)
    doubt = f"It is not {named or 'utf-8'}, so it was read as Latin-1: letters may be wrong, links are not."
    return Decoded(content.decode("latin-1"), "latin-1", doubt)


def _codec(label: str) -> str:
    try:
        found = codecs.lookup(label)
    except (LookupError, ValueError):
        return ""
    if found.name.startswith("utf-16") or found.name.startswith("utf-32"):
        return "utf-8"
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and found.name not in _NOT_FOR_PAGES else ""


def _try(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def explain(html: str, keys: tokens.Keys, base: str) -> Rewritten:
    """The tracked form as it would leave with separate tokens, for an organization that has chosen nothing."""
    return rewrite(
        html,
        click_url=lambda number, target: f"{base}/t/c/{tokens.sign_click(keys, _NOBODY, number, target)}",
        pixel_url=f"{base}/t/o/{tokens.sign_open(keys, _NOBODY)}.gif",
        keys=keys,
    )


def as_json(result: Rewritten) -> dict[str, Any]:
    """``{"html", "links": [{"url", "target", "text", "reason"?}], "warnings"}``; of the links those to the web."""
    links: list[dict[str, str]] = []
    for link in result.links:
        if link.is_web:
            reason = {} if link.reason is None else {"reason": link.reason}
            links.append({"url": link.url, "target": link.target, "text": link.text, **reason})
    return {"html": result.html, "links": links, "warnings": result.warnings}


def as_table(name: str, read: Decoded, size: int, result: Rewritten) -> str:
    """For a person: what was read, every link with what becomes of it, and what to mind."""
    tracked, marks = len(result.tracked), result.taken_out
    lines = [
        f"{name}: {size:,} bytes, read as {read.encoding}",
        f"{tracked} of {len(result.links)} links are tracked, and one invisible picture tells of opens.",
        *(
            [f"{marks} of our own marks in quoted text {'is' if marks == 1 else 'are'} taken out."]
            if marks
            else []
        ),
        *([read.doubt] if read.doubt else []),
        *result.warnings,
    ]
    if result.links:
        width = min(_WIDTH, max(len(_printable(link.text)) for link in result.links))
        lines.append("")
        for link in result.links:
            text = _printable(link.text)
            text = text if len(text) <= width else f"{text[: width - 1]}…"
            state = "tracked " if link.reason is None else "as it is"
            because = "" if link.reason is None else f"  ({link.reason})"
            lines.append(f"{state}  {text:<{width}}  {_printable(link.target)}{because}")
    return "\n".join(_printable(line) for line in lines)


def _printable(text: str) -> str:
    """Without what would move a terminal's cursor."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    )


def run(file: str, *, json_wanted: bool) -> int:
    """``truesend explain rewrite [--json] FILE``: the exit code, 1 when the file could not be read."""
    keys = _keys()
    if keys is None:
        keys = [("explain", secrets.token_bytes(32))]
        _say("There are no link keys here: these links would lead nowhere.")
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        _say(f"{_printable(file)} cannot be read: {getattr(error, 'strerror', None) or error}.")
        return 1
    read = decode(content)
    result = explain(read.text, keys, env.tracking_url())
    if json_wanted:
        if read.doubt:
            _say(read.doubt)
        answer = json.dumps(as_json(result))
    else:
        answer = as_table("standard input" if file == "-" else _printable(file), read, len(content), result)
    try:
        sys.stdout.buffer.write(answer.encode(sys.stdout.encoding or "utf-8", "replace") + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has read enough
        sys.stdout = None
        return 1
    return 0


def _keys() -> tokens.Keys | None:
    """The settings' keys, else those in the data folder; ``None`` where there are none."""
    if env.get("LINK_KEYS") is None:
        path = env.data_dir() / "link_keys"
        try:
            return env.keys_of("LINK_KEYS", path.read_text(encoding="utf-8"))
        except OSError:
            return None
    return env.link_keys()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
