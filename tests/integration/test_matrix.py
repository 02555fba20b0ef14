"""A few cells of the kill matrix, other ones every day; `make proof` runs them all."""

from __future__ import annotations

import datetime
import os
import random
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.storms import matrix

CELLS, MAILBOXES = 4, 5


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
