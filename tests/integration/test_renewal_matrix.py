"""A few cells of the kill matrix of renewals, other ones every day; `make proof` runs them all."""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.storms import renewals
from tests.told import TOLD

CELLS, EACH = 3, 3


@pytest.mark.storm
@pytest.mark.timeout(600)
def test_a_blow_at_any_step_of_a_renewal_loses_nothing_that_can_be_kept(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """STORM_SEED repeats another day's, STORM_CELLS runs more of them."""
    seed = int(os.environ.get("STORM_SEED") or f"{datetime.datetime.now(datetime.UTC):%Y%m%d}")
    sample = renewals.cells(seed)[: int(os.environ.get("STORM_CELLS") or CELLS)]
    orders = tmp_path / "orders"
    short = []
    with stacks.running(tmp_path / "data", settings=renewals.settings(orders)) as stack:
        matrix = renewals.Matrix(stack, orders, EACH)
        for cell in sample:
            books = matrix.run(cell)
            record_property(TOLD, f"renewals, seed {seed}, {EACH} connections of each provider: {books}")
            short += books.shortfalls()
    up.remove(tmp_path / "data")
    assert short == []


def _books(cell: renewals.Cell, **changed: int) -> renewals.Books:
    lost = 4 if cell.loses else 0
    live = Counter({"google": 4, "microsoft": 4, "keap": 4 - lost}) + Counter(changed)
    said = Counter({"keap": lost})
    return renewals.Books(cell, 4, 4 * len(cell.stands), live, said, Counter(), [], 12.0)


def test_one_connection_that_is_lost_and_could_have_been_kept_is_a_shortfall() -> None:
    killed = renewals.Cell("renewal_sent", "worker killed")
    assert _books(killed).shortfalls() == []
    rescued = renewals.Cell("rescued", "worker killed")
    assert _books(rescued).shortfalls() == []
    books = _books(rescued)
    books.live["keap"] -= 1
    assert books.shortfalls() == [
        f"{rescued}: 3 of keap live, 4 could",
        f"{rescued}: 0 of keap say that a renewal was lost, 1 were",
    ]
    silent = _books(killed)
    silent.said["keap"] -= 1
    assert silent.shortfalls() == [f"{killed}: 3 of keap say that a renewal was lost, 4 were"]
    assert renewals.Books.of(_books(killed).plain()) == _books(killed)
