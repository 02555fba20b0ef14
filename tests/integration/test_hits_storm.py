"""Hits while everything behind them dies: every answered one is counted once, every link leads on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests import up
from tests.storms import hits
from tests.told import TOLD

KILLS, HUNG, SEED = 2, 3.0, 20261123


@pytest.mark.storm
@pytest.mark.timeout(240)
def test_whatever_dies_behind_it_a_hit_is_counted_once(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    data = tmp_path / "data"
    books = hits.storm(data, kills=KILLS, hung=HUNG, seed=SEED)
    up.remove(data)
    record_property(TOLD, f"hits under blows, seed {SEED}: {books}")
    assert books.shortfalls() == []
