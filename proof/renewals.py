"""Renewals in full: the race for two hundred keys, and a blow at every step of a renewal."""

from __future__ import annotations

import sys
from collections import Counter

from proof.finding import Finding
from proof.notes import Notes
from tests import stack as stacks
from tests.storms import races, renewals
from tests.storms.renewals import Books, Matrix

from truesend.bench.installation import data_folder

CONNECTIONS, PROCESSES = 200, 8
# A machine that is busy otherwise starts an installation slowly.
PATIENCE = 180.0


def race(_: int) -> list[Finding]:
    """Eight processes that need the same two hundred keys in one instant."""
    with data_folder() as data, stacks.running(data, settings=races.settings(), patience=PATIENCE) as stack:
        books = races.race(stack, races.connect(stack, CONNECTIONS), PROCESSES)
    short = books.shortfalls()
    return [
        Finding(
            f"{PROCESSES} processes on the same {CONNECTIONS} keys that work once",
            "; ".join(short) if short else f"{books.calls} calls, {books.dead} dead grants",
            f"{CONNECTIONS} calls, 0 dead grants",
            holds=not short,
            seconds=books.seconds,
        )
    ]


def matrix(seed: int, notes: Notes) -> list[Finding]:
    """Every cell, each written down when it is done; a line for each kind of blow."""
    wanted = renewals.cells(seed)
    if left := [cell for cell in wanted if notes.get(str(cell)) is None]:
        with data_folder() as data:
            orders = data.with_name("orders")
            with stacks.running(data, settings=renewals.settings(orders), patience=PATIENCE) as stack:
                running = Matrix(stack, orders)
                for cell in left:
                    try:
                        books = running.run(cell)
                    except Exception as error:  # one cell that breaks must not hide the others
                        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                        none = Counter[str]()
                        books = Books(cell, renewals.EACH, 0, none, none, none, [words], 0.0)
                    print(f"    {books}", file=sys.stderr, flush=True)
                    notes.put(str(cell), books.plain())
    found = [Books.of(notes.get(str(cell))) for cell in wanted]
    acts = sorted({one.cell.act for one in found})
    return [_finding(act, [one for one in found if one.cell.act == act], seed) for act in acts]


def _finding(act: str, books: list[Books], seed: int) -> Finding:
    short = [one for some in books for one in some.shortfalls()]
    live = sum(some.live.total() for some in books)
    said = sum(some.said.total() for some in books)
    return Finding(
        f"renewals: {act}",
        "; ".join(short)
        if short
        else f"{len(books)} cells: {live} connections live, {said} say what was lost",
        "0 lost that could be kept",
        holds=not short,
        seconds=sum(one.seconds for one in books),
        seed=str(seed),
    )
