"""A few cells of the kill matrix, other ones every day; `make proof` runs them all."""

from __future__ import annotations

import datetime
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from proof import blows, run
from tests import stack as stacks
from tests import up
from tests.storms import groups, matrix
from tests.storms import matrix_books as books
from tests.storms.blows import ACTS
from tests.told import TOLD

CELLS, MAILBOXES = 4, 2


@pytest.mark.storm
@pytest.mark.timeout(600)
def test_a_blow_at_any_point_of_a_send_loses_and_doubles_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """STORM_SEED repeats another day's."""
    seed = int(os.environ.get("STORM_SEED") or f"{datetime.datetime.now(datetime.UTC):%Y%m%d}")
    sample = random.Random(seed).sample(books.cells(seed), CELLS)
    orders = tmp_path / "orders"
    short = []
    with stacks.running(tmp_path / "data", settings=matrix.settings(orders)) as stack:
        cells = matrix.Matrix(stack, orders, MAILBOXES)
        for cell in sample:
            found = cells.run(cell)
            record_property(
                TOLD, f"kill matrix, seed {seed}, {MAILBOXES} mailboxes of each provider and scope: {found}"
            )
            short += found.shortfalls()
        twice, left = cells.twice(), cells.left_behind()
    up.remove(tmp_path / "data")
    assert short == []
    assert twice == 0
    assert left == []


def _books(cell: books.Cell, **of_one: int) -> books.Books:
    """Of a cell in which all went well, but for what is said of its first group that reads."""
    counts = {
        str(group): books.Count(accepted=8, once=8, told_by=Counter({"sent": 8} if group.reads else {}))
        for group in cell.groups()
    }
    first = next(str(group) for group in cell.groups() if group.reads)
    for name, number in of_one.items():
        setattr(counts[first], name, number)
    return books.Books(cell, 8, 8 * len(counts), counts, [], 12.0)


def test_every_provider_takes_part_with_every_choice_of_permissions() -> None:
    names = [str(one) for one in groups.every()]
    assert names == [
        "google send-only",
        "google reading",
        "microsoft send-only",
        "microsoft reading",
        "keap full",
    ]
    preparing = books.Cell("prepared", ACTS[0], late=False)
    assert [str(one) for one in preparing.groups()] == ["microsoft reading", "keap full"]
    assert [str(one) for one in groups.every() if one.told] == ["google reading", "microsoft reading"]


def test_the_proof_goes_on_with_the_cells_that_are_left(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    before = run.State(path, "code", fresh=False).notes("matrix")
    cells = books.cells(7)
    for cell in cells:
        before.put(str(cell), _books(cell).plain())
    after = run.State(path, "code", fresh=False).notes("matrix")
    assert books.Books.of(after.get(str(cells[0]))) == _books(cells[0])
    findings = blows.kill_matrix(7, after)  # nothing is left to run
    assert len(findings) == 2 * len(ACTS) + len(groups.every())
    assert all(one.holds and one.seed == "7" for one in findings)
    assert "328 emails at 10 points, once each" in findings[0].figure
    of_keap = next(one for one in findings if "keap full" in one.name)
    assert "800 emails in 100 cells, once each; unknown for a while: 800 by sent" in of_keap.figure
    of_google = next(one for one in findings if "google send-only" in one.name)
    assert "560 emails in 70 cells, once each; unknown for a while: none" in of_google.figure
    assert run.State(path, "other code", fresh=False).notes("matrix").get(str(cells[0])) is None


@pytest.mark.parametrize(("what", "words"), [("twice", "twice"), ("asked", "asked of a person")])
def test_one_email_that_goes_wrong_fails_its_rows(tmp_path: Path, what: str, words: str) -> None:
    notes = run.State(tmp_path / "state.json", "code", fresh=False).notes("matrix")
    cells = [cell for cell in books.cells(7) if cell.point not in books.PREPARING]
    for cell in books.cells(7):
        notes.put(str(cell), _books(cell, **({what: 1} if cell == cells[0] else {})).plain())
    short = [one for one in blows.kill_matrix(7, notes) if not one.holds]
    assert [one.figure for one in short] == [f"{cells[0]}: 1 google reading {words}"] * 2
