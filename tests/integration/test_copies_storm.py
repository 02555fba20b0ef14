"""Copies through a pause, a killed worker, an outage, a stop: once to each address. `make proof` sends 1,000."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.storms import copies
from tests.told import TOLD

PEOPLE, SEED = 80, 20261130


@pytest.mark.storm
@pytest.mark.timeout(600)
def test_every_address_gets_its_copy_exactly_once(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with stacks.running(tmp_path / "data", settings=copies.SETTINGS) as stack:
        books = copies.storm(stack, people=PEOPLE, seed=SEED)
    up.remove(tmp_path / "data")
    record_property(TOLD, f"storm of copies: {PEOPLE} people, seed {SEED}: {books}")
    assert books.shortfalls(PEOPLE) == []
