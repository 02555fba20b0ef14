"""No verdict lies: a sample of the walk, other one every day; `make proof` walks all of it."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.storms import truth

from truesend.providers import registry

STEPS, WATCHED, SETTLE_EVERY = 120, 20, 6


@pytest.mark.alone
@pytest.mark.storm
@pytest.mark.timeout(900)
def test_what_is_shown_working_works_and_what_is_shown_broken_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """STORM_SEED repeats another day's."""
    seed = int(os.environ.get("STORM_SEED") or f"{datetime.datetime.now(datetime.UTC):%Y%m%d}")
    steps = int(os.environ.get("STORM_STEPS") or STEPS)
    with stacks.running(tmp_path / "data", settings=truth.SETTINGS) as stack:
        walk = truth.Walk(stack, seed, tuple(registry.PROVIDERS))
        watched = int(os.environ.get("STORM_WATCHED") or WATCHED)
        books = walk.run(steps, settle_every=SETTLE_EVERY, watched=watched)
    up.remove(tmp_path / "data")
    with capsys.disabled():
        print(f"\ntruth, {books}")
    assert books.shortfalls() == []


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_verdict_from_the_rows_existence_is_caught(tmp_path: Path) -> None:
    with stacks.running(tmp_path / "data", settings={**truth.SETTINGS, **truth.planted()}) as stack:
        walk = truth.Walk(stack, 5, ("google",))
        books = walk.run(24, settle_every=4, watched=0)
    up.remove(tmp_path / "data")
    assert books.lies, str(books)
    assert {one.shown for one in books.lies} == {"working"}
