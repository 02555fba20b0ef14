"""Eight processes that need the same keys; `make proof` lets them race for two hundred."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.storms import races

CONNECTIONS, PROCESSES = 24, 8


@pytest.mark.alone
@pytest.mark.storm
@pytest.mark.timeout(400)
def test_eight_processes_renew_each_key_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with stacks.running(tmp_path / "data", settings=races.settings()) as stack:
        books = races.race(stack, races.connect(stack, CONNECTIONS), PROCESSES)
    up.remove(tmp_path / "data")
    with capsys.disabled():
        print(f"\nrenewals: {books}")
    assert books.shortfalls() == []
