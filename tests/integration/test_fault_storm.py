"""A provider whose every twentieth call goes wrong: every email is accounted for. `make proof` sends 5,000."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.storms import faults
from tests.told import TOLD

EMAILS, MAILBOXES, WAVES, SEED = 150, 12, 5, 20261122


@pytest.mark.storm
@pytest.mark.timeout(600)
def test_faults_of_every_kind_lose_and_double_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with stacks.running(tmp_path / "data", settings=faults.SETTINGS) as stack:
        books = faults.storm(stack, mailboxes=MAILBOXES, emails=EMAILS, waves=WAVES, seed=SEED)
    up.remove(tmp_path / "data")
    record_property(TOLD, f"fault storm: {EMAILS} emails over {MAILBOXES} mailboxes, seed {SEED}: {books}")
    assert books.shortfalls() == []
