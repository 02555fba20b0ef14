"""A clone of the database beside the live one, and older backups in its place, in full."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from proof.finding import Finding
from tests.storms import restore

# Seconds that nobody must call anything; mailboxes that can be read, and as many that can only send.
SECONDS, EACH = 25.0, 10


def findings(_: int) -> list[Finding]:
    """One line for each way of getting an older or a second database."""
    return [
        _one("clone beside the live one", lambda folder: restore.clone(folder, each=EACH, seconds=SECONDS)),
        _one(
            "older dump put in its place",
            lambda folder: restore.in_place(folder, kind="dump", each=EACH, seconds=SECONDS),
        ),
        _one(
            "older files put in its place",
            lambda folder: restore.in_place(folder, kind="files", each=EACH, seconds=SECONDS),
        ),
    ]


def _one(name: str, run: Callable[[Path], restore.Books]) -> Finding:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="truesend-restore-") as folder:
        books = run(Path(folder))
    short = books.shortfalls(each=EACH)
    figure = (
        f"{sum(books.arrived.values())} copies once each, {books.twice} twice; "
        f"{books.calls_before_adopt} calls in {books.watched_seconds:.0f} s before adopt"
    )
    return Finding(
        name,
        "; ".join(short) if short else figure,
        "0 sent twice, 0 calls before adopt",
        holds=not short,
        seconds=time.monotonic() - began,
    )
