"""Parts die while mail goes out and hits come in: nothing is sent twice, nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.storms import kills
from tests.told import TOLD

EMAILS, HITS, MAILBOXES, ROUNDS, SEED = 200, 2_000, 10, 1, 20261122


@pytest.mark.storm
@pytest.mark.timeout(400)
def test_killing_every_part_loses_and_doubles_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with stacks.running(tmp_path / "data") as stack:
        books = kills.storm(stack, mailboxes=MAILBOXES, emails=EMAILS, hits=HITS, rounds=ROUNDS, seed=SEED)
    up.remove(tmp_path / "data")
    record_property(TOLD, f"storm: {EMAILS} emails, {HITS} hits, seed {SEED}: {books}")
    assert books.shortfalls(emails=EMAILS, hits=HITS, rounds=ROUNDS) == []
