"""Floods become one row, and the sum of counts stays exact."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend.tracking import copying, folding, records
from truesend.tracking.copying import Hit, Key
from truesend.tracking.folding import LIMIT, Folding, Plan

START = 1_793_664_000.0
DELIVERY = UUID(int=7)


def hit(seconds: float, ip: str = "203.0.113.7") -> Hit:
    framed = records.pack(
        kind=0,
        method=0,
        at=START + seconds,
        link=None,
        delivery=DELIVERY.bytes,
        fields=records.field(records.IP, ip.encode()) + records.field(records.USER_AGENT, b"agent"),
    )
    (made,) = copying.read([framed[records.FRAME.size :]])
    return made


class Table:
    """Applies plans as the database would."""

    def __init__(self) -> None:
        self.folding = Folding()
        self.counts: dict[int, int] = {}

    def load(self, hits: list[Hit], *, committed: bool = True) -> None:
        plan = self.folding.plan(hits)
        if committed:
            self.folding.keep(plan, self._write(plan))

    def _write(self, plan: Plan) -> dict[Key, int]:
        for _ in plan.rows:
            self.counts[len(self.counts)] = 1
        ids: dict[Key, int] = {}
        for key, (_, count) in plan.folded.items():
            ids[key] = len(self.counts)
            self.counts[ids[key]] = count
        for row_id, count in plan.increments.items():
            self.counts[row_id] += count
        return ids


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=8))
def test_the_sum_is_exact_over_any_batches_and_rollbacks(batches: list[tuple[int, bool]]) -> None:
    table, expected = Table(), 0
    for size, committed in batches:
        table.load([hit(0.01 * at) for at in range(size)], committed=committed)
        expected += size if committed else 0
    assert sum(table.counts.values()) == expected
    assert len(table.counts) <= LIMIT + 1


def test_the_first_hundred_are_rows_of_their_own() -> None:
    table = Table()
    table.load([hit(0.1 * at) for at in range(300)])
    assert sorted(table.counts.values()) == [1] * LIMIT + [200]


def test_another_address_or_minute_is_counted_apart() -> None:
    table = Table()
    table.load([hit(0.1, f"203.0.113.{at}") for at in range(150)])
    table.load([hit(61 + 0.1 * at, "203.0.113.1") for at in range(50)])
    assert set(table.counts.values()) == {1}


def test_a_flood_is_remembered_however_many_others_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MAX_KEYS", 50)
    table = Table()
    for second in range(30):
        flood = [hit(second + 0.01 * at) for at in range(20)]
        table.load([*flood, *(hit(second, f"198.51.{second}.{at}") for at in range(40))])
    assert sorted(table.counts.values())[-1] == 30 * 20 - LIMIT
    assert len(table.folding._younger) + len(table.folding._older) <= 4 * 50
