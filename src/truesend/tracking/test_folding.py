"""Floods become one row, and the sum of counts stays exact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from truesend.tracking.folding import LIMIT, Folding, Plan
from truesend.tracking.records import Record

START = datetime(2026, 11, 3, tzinfo=UTC)
DELIVERY = UUID(int=7)


def record(seconds: float, ip: str = "203.0.113.7") -> Record:
    return Record(START + timedelta(seconds=seconds), "open", DELIVERY, None, "GET", ip, "agent", {})


class Table:
    """Applies plans as the database would."""

    def __init__(self) -> None:
        self.folding = Folding()
        self.counts: dict[int, int] = {}

    def load(self, records: list[Record], *, committed: bool = True) -> None:
        plan = self.folding.plan(records)
        if committed:
            self.folding.keep(plan, self._write(plan))

    def _write(self, plan: Plan) -> dict[tuple[str, UUID, int | None, str, str | None, str], int]:
        for _ in plan.rows:
            self.counts[len(self.counts)] = 1
        ids = {}
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
        table.load([record(0.01 * at) for at in range(size)], committed=committed)
        expected += size if committed else 0
    assert sum(table.counts.values()) == expected
    assert len(table.counts) <= LIMIT + 1


def test_the_first_hundred_are_rows_of_their_own() -> None:
    table = Table()
    table.load([record(0.1 * at) for at in range(300)])
    assert sorted(table.counts.values()) == [1] * LIMIT + [200]


def test_another_address_or_minute_is_counted_apart() -> None:
    table = Table()
    table.load([record(0.1, f"203.0.113.{at}") for at in range(150)])
    table.load([record(61 + 0.1 * at, "203.0.113.1") for at in range(50)])
    assert set(table.counts.values()) == {1}
