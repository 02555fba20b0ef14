"""No verdict lies: a sample of the walk, other one every day; `make proof` walks all of it."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests import stack as stacks
from tests import up
from tests.connections import ledger, proved, when
from tests.storms import truth
from tests.storms.asking import Oracle
from tests.told import TOLD

from truesend.providers import registry

STEPS, WATCHED = (
    int(os.environ.get(f"STORM_{name}") or usual) for name, usual in (("STEPS", 120), ("WATCHED", 20))
)
SETTLE_EVERY = 6


@pytest.mark.storm
@pytest.mark.timeout(600 + 4 * STEPS)
def test_what_is_shown_working_works_and_what_is_shown_broken_fails(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """STORM_SEED repeats another day's; STORM_STEPS and STORM_WATCHED make it longer."""
    seed = int(os.environ.get("STORM_SEED") or f"{datetime.datetime.now(datetime.UTC):%Y%m%d}")
    with stacks.running(tmp_path / "data", settings=truth.SETTINGS) as stack:
        walk = truth.Walk(stack, seed, tuple(registry.PROVIDERS))
        books = walk.run(STEPS, settle_every=SETTLE_EVERY, watched=WATCHED)
    up.remove(tmp_path / "data")
    record_property(TOLD, f"truth, {books}")
    assert books.shortfalls() == []


@pytest.mark.timeout(600)
def test_a_verdict_from_the_rows_existence_is_caught(tmp_path: Path) -> None:
    with stacks.running(tmp_path / "data", settings={**truth.SETTINGS, **truth.planted()}) as stack:
        walk = truth.Walk(stack, 5, ("google",))
        books = walk.run(24, settle_every=4, watched=0)
    up.remove(tmp_path / "data")
    assert books.lies, str(books)
    assert {one.shown for one in books.lies} == {"working"}


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_the_oracle_uses_what_is_broken_from_its_next_renewal_on_and_tells_nobody(tmp_path: Path) -> None:
    """Microsoft's keys outlive their grants by up to 90 minutes; Keap's work once, so what was got is kept."""
    with stacks.running(tmp_path / "data", settings=truth.SETTINGS) as stack, ExitStack() as opened:
        person, oracle = stack.person(), opened.enter_context(closing(Oracle(stack)))
        outlived = proved(person, provider="microsoft")["id"]
        stack.sandbox.fault("any", "expire_grant", "microsoft", account=person.email, cause="unused")
        assert person.api("POST", f"connections/{outlived}/verify").ok
        when(person, outlived, lambda one: one["verdict"] == "broken")
        once = proved(person, provider="keap")["id"]
        # Its mailbox is read for the first time by itself, which is a newer proof.
        when(
            person,
            once,
            lambda one: "inbox" in {(can["proof"] or {}).get("call") for can in one["capabilities"]},
        )
        told = {one: (person.connection(one), ledger(person, one)) for one in (outlived, once)}
        assert oracle.works(outlived, "send", quiet=True)[0]
        assert not oracle.works(outlived, "send", renew=True, quiet=True)[0]
        for _ in range(2):
            assert oracle.works(once, "send", renew=True, quiet=True)[0]
        assert told == {one: (person.connection(one), ledger(person, one)) for one in (outlived, once)}
        # The next renewal of our own has the newest key.
        stack.sandbox.fault("any", "expire_access", "keap", account=person.email)
        assert person.api("POST", f"connections/{once}/verify").ok
        assert ledger(person, once)[0]["result"] == "ok"
    up.remove(tmp_path / "data")
