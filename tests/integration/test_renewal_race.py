"""Eight processes that need the same keys; `make proof` lets them race for two hundred."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.storms import races
from tests.told import TOLD

CONNECTIONS, PROCESSES = 24, 8


@pytest.mark.storm
@pytest.mark.timeout(400)
def test_eight_processes_renew_each_key_once(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with stacks.running(tmp_path / "data", settings=races.settings()) as stack:
        books = races.race(stack, races.connect(stack, CONNECTIONS), PROCESSES)
    up.remove(tmp_path / "data")
    record_property(TOLD, f"renewals: {books}")
    assert books.shortfalls() == []
