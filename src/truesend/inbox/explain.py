"""``truesend explain bounce``: what :func:`truesend.inbox.reading.read` makes of mails, without a database.

A line of JSON for each mail, ``{"file", "kind", "about", "recipients": [{"address", "status", "code", "hard", "reason",
"sentence"}], "refers_to", "return_date"}``. Files, folders, Maildirs, mbox files (by their ending) and ``-``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from truesend.inbox.incoming import Incoming
from truesend.inbox.parts import MOST_BYTES
from truesend.inbox.reading import read

_MAILS = {".eml", ".mime", ".rfc822", ".msg"}
_BOXES = {".mbox", ".mbx"}
_MAILDIR = {"cur", "new"}
_FROM = re.compile(rb"^From \S+.*\d\d:\d\d.*$")


def as_json(file: str, told: Incoming) -> dict[str, Any]:
    """The line for one mail."""
    return {
        "file": file,
        "kind": told.kind.value,
        "about": told.about.value,
        "recipients": [
            {
                "address": one.address,
                "status": one.status,
                "code": one.code,
                "hard": one.hard,
                "reason": one.reason,
                "sentence": one.sentence,
            }
            for one in told.recipients
        ],
        "refers_to": list(told.refers_to),
        "return_date": told.return_date.isoformat() if told.return_date else None,
    }


def explain(names: Iterable[str], answer: Callable[[str], None], complain: Callable[[str], None]) -> bool:
    """Answer each mail, complain of each name that cannot be read; whether all could be."""
    fine = True
    for name in names:
        for file in _files(name):
            try:
                for told, raw in _mails(file):
                    answer(json.dumps(as_json(told, read(raw))))
            except BrokenPipeError:
                raise
            except (OSError, ValueError) as error:
                complain(f"{_printable(file)} cannot be read: {getattr(error, 'strerror', None) or error}.")
                fine = False
    return fine


def run(names: list[str]) -> int:
    """``truesend explain bounce FILE…``: the exit code, 1 when something could not be read."""

    def answer(text: str) -> None:
        print(text, flush=True)

    def complain(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    try:
        return 0 if explain(names, answer, complain) else 1
    except BrokenPipeError:  # whoever read the answers has read enough
        sys.stdout = None
        return 1


def _files(name: str) -> Iterator[str]:
    """The name itself, or in a folder those that are mails by their ending or by the Maildir they lie in."""
    if name == "-" or not Path(name).is_dir():
        yield name
        return
    found = sorted(
        path
        for path in Path(name).rglob("*")
        if path.is_file() and (path.suffix.lower() in _MAILS | _BOXES or path.parent.name in _MAILDIR)
    )
    if found:
        yield from (str(path) for path in found)
    else:
        yield name  # which then says that it is a folder


def _mails(file: str) -> Iterator[tuple[str, bytes]]:
    """``(name, bytes)`` of each mail in a file. Those of an mbox are numbered from 1."""
    if file == "-":
        yield file, sys.stdin.buffer.read(MOST_BYTES)
        return
    if Path(file).is_dir():
        raise ValueError("there are no mails (.eml, .mbox, or a Maildir) in this folder")
    with Path(file).open("rb") as opened:
        if Path(file).suffix.lower() not in _BOXES:
            yield file, opened.read(MOST_BYTES)
            return
        yield from ((f"{file}#{number}", raw) for number, raw in enumerate(_box(opened), start=1))


def _box(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The mails of an mbox, each cut where reading would stop."""
    kept: list[bytes] = []
    size = 0
    empty = True
    for line in lines:
        if empty and _FROM.match(line) and kept:
            yield b"".join(kept)
            kept, size = [], 0
        empty = not line.strip()
        if size < MOST_BYTES:
            kept.append(line)
            size += len(line)
    if kept:
        yield b"".join(kept)


def _printable(text: str) -> str:
    """Without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
