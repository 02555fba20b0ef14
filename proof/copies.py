"""A thousand copies from a list with every kind of bad row, through a pause, a killed worker, an outage, a stop."""

from __future__ import annotations

from proof.finding import Finding
from tests import stack as stacks
from tests.storms import copies

from truesend.bench.installation import data_folder

PEOPLE = 1_000


def findings(seed: int) -> list[Finding]:
    """Each address exactly once, and each bad row named before anything left."""
    with data_folder() as data, stacks.running(data, settings=copies.SETTINGS) as stack:
        books = copies.storm(stack, people=PEOPLE, seed=seed)
    short = books.shortfalls(PEOPLE)
    return [
        Finding(
            f"{PEOPLE:,} copies from a list",
            "; ".join(short)
            if short
            else f"each once, {books.bad_rows} bad rows named; {', '.join(books.blows)}",
            "each address exactly once",
            holds=not short,
            seconds=books.seconds,
            seed=str(seed),
        )
    ]
