"""A few cells of the kill matrix, other ones every day; `make proof` runs them all."""

from __future__ import annotations

import datetime
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from proof import blows, run
from tests import stack as stacks
from tests import up
from tests.storms import matrix
from tests.storms.blows import ACTS

CELLS, MAILBOXES = 4, 5


@pytest.mark.alone
@pytest.mark.storm
@pytest.mark.timeout(600)
def test_a_blow_at_any_point_of_a_send_loses_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """STORM_SEED repeats another day's."""
    seed = int(os.environ.get("STORM_SEED") or f"{datetime.datetime.now(datetime.UTC):%Y%m%d}")
    sample = random.Random(seed).sample(matrix.cells(seed), CELLS)
    orders = tmp_path / "orders"
    short = []
    with stacks.running(tmp_path / "data", settings=matrix.settings(orders)) as stack:
        cells = matrix.Matrix(stack, orders, MAILBOXES)
        for cell in sample:
            books = cells.run(cell)
            with capsys.disabled():
                print(f"\nkill matrix, seed {seed}, {MAILBOXES} mailboxes of each scope: {books}")
            short += books.shortfalls()
        twice = cells.twice()
    up.remove(tmp_path / "data")
    assert short == []
    assert twice == 0


def _books(cell: matrix.Cell, twice: int = 0) -> matrix.Books:
    told = Counter({"sent": 20})
    scopes = {
        "send-only": matrix.Count(accepted=20, once=20),
        "reading": matrix.Count(accepted=20, once=20, told_by=told, twice=twice),
    }
    return matrix.Books(cell, 20, 40, scopes, [], 12.0)


def test_the_proof_goes_on_with_the_cells_that_are_left(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    before = run.State(path, "code", fresh=False).notes("matrix")
    cells = matrix.cells(7)
    for cell in cells:
        before.put(str(cell), _books(cell).plain())
    after = run.State(path, "code", fresh=False).notes("matrix")
    assert matrix.Books.of(after.get(str(cells[0]))) == _books(cells[0])
    findings = blows.kill_matrix(7, after)  # nothing is left to run
    assert len(findings) == 2 * len(ACTS)
    assert all(one.holds and one.seed == "7" for one in findings)
    assert "280 emails at 7 points, once each" in findings[0].figure
    assert "140 reading by sent" in findings[0].figure
    assert run.State(path, "other code", fresh=False).notes("matrix").get(str(cells[0])) is None


def test_one_email_that_arrives_twice_fails_its_row(tmp_path: Path) -> None:
    notes = run.State(tmp_path / "state.json", "code", fresh=False).notes("matrix")
    cells = matrix.cells(7)
    for number, cell in enumerate(cells):
        notes.put(str(cell), _books(cell, twice=int(number == 0)).plain())
    short = [one for one in blows.kill_matrix(7, notes) if not one.holds]
    assert [f"{cells[0]}: 1 reading twice"] == [one.figure for one in short]
