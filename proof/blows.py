"""The kill matrix and the fault storm in full."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from proof.finding import Finding
from proof.notes import Notes
from tests import stack as stacks
from tests.storms import faults, groups, matrix, weather
from tests.storms.matrix import Matrix
from tests.storms.matrix_books import Books, Cell, cells

from truesend.bench.installation import data_folder

EMAILS, MAILBOXES, WAVES = 5_000, 200, 20
# A machine that is busy otherwise starts an installation slowly.
PATIENCE = 180.0


def kill_matrix(seed: int, notes: Notes) -> list[Finding]:
    """Every cell, each written down when it is done; a line for each kind of blow, with late lists and without.

    And one for each provider and scope, over all cells.
    """
    wanted = cells(seed)
    if left := [cell for cell in wanted if notes.get(str(cell)) is None]:
        _run(left, notes)
    books = [Books.of(notes.get(str(cell))) for cell in wanted]
    books.sort(key=lambda one: (one.cell.late, one.cell.act))
    grouped = groupby(books, key=lambda one: (one.cell.late, one.cell.act))
    return [
        *[_of_an_act(act, late, list(some), seed) for (late, act), some in grouped],
        *[_of_a_group(str(group), books, seed) for group in groups.every()],
    ]


def _run(left: Iterable[Cell], notes: Notes) -> None:
    with data_folder() as data:
        orders = data.with_name("orders")
        with stacks.running(data, settings=matrix.settings(orders), patience=PATIENCE) as stack:
            running = Matrix(stack, orders)
            for cell in left:
                try:
                    books = running.run(cell)
                except Exception as error:  # one cell that breaks must not hide the others
                    words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                    books = Books(cell, matrix.MAILBOXES, 0, {}, [words], 0.0)
                print(f"    {books}", file=sys.stderr, flush=True)
                notes.put(str(cell), books.plain())
            trouble = []
            if twice := running.twice():
                trouble.append(f"{twice} marks arrived twice in the end")
            if drafts := running.left_behind():
                trouble.append(f"{len(drafts)} drafts were left behind: {', '.join(drafts[:5])}")
            if trouble:
                notes.put(str(cell), {**books.plain(), "trouble": [*books.trouble, *trouble]})


def _of_an_act(act: str, late: bool, books: list[Books], seed: int) -> Finding:
    told: Counter[str] = Counter()
    for some in books:
        for group, count in some.counts.items():
            told.update({f"{group} by {who}": number for who, number in count.told_by.items()})
    once = sum(count.once for some in books for count in some.counts.values())
    figure = f"{once} emails at {len(books)} points, once each; unknown for a while: {_listed(told)}"
    short = [one for some in books for one in some.shortfalls()]
    what = f"kill matrix: {act}" + (", lists late by 90 s" if late else "")
    return _finding(what, figure, short, sum(one.seconds for one in books), seed)


def _of_a_group(group: str, books: list[Books], seed: int) -> Finding:
    """A provider's mailboxes with the same permissions, in every cell by whose point their sends come."""
    counts = [one.counts[group] for one in books if group in one.counts]
    told: Counter[str] = Counter()
    for count in counts:
        told.update({f"by {who}": number for who, number in count.told_by.items()})
    once = sum(count.once for count in counts)
    figure = f"{once} emails in {len(counts)} cells, once each; unknown for a while: {_listed(told)}"
    short = [one for some in books for one in some.shortfalls() if group in one]
    return _finding(f"kill matrix: {group}", figure, short, 0.0, seed)


def _listed(told: Counter[str]) -> str:
    return ", ".join(f"{number} {words}" for words, number in sorted(told.items())) or "none"


def _finding(what: str, figure: str, short: list[str], seconds: float, seed: int) -> Finding:
    return Finding(
        what,
        "; ".join(short) if short else figure,
        "once each, or unknown and resolved",
        holds=not short,
        seconds=seconds,
        seed=str(seed),
    )


def fault_storm(seed: int) -> list[Finding]:
    """Thousands of emails under faults of every kind."""
    with data_folder() as data, stacks.running(data, settings=faults.SETTINGS, patience=PATIENCE) as stack:
        books = faults.storm(stack, mailboxes=MAILBOXES, emails=EMAILS, waves=WAVES, seed=seed)
    print(f"    {books}", file=sys.stderr, flush=True)
    short = books.shortfalls()
    ended = ", ".join(f"{number} {status}" for (status, _), number in sorted(books.deliveries.items()))
    told = ", ".join(f"{number} by {who}" for who, number in sorted(books.told_by.items()))
    return [
        Finding(
            f"{EMAILS:,} emails over {MAILBOXES} mailboxes, {len(weather.KINDS)} kinds of faults",
            "; ".join(short)
            if short
            else f"{books.share:.1%} of {books.calls:,} calls met one; {ended}; unknown for a while: {told}",
            "all accounted for, none twice",
            holds=not short,
            seconds=books.seconds,
            seed=str(seed),
        )
    ]
