"""When a mailbox is read next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from truesend.inbox.schedule import after_look, after_miss, between

BASE = timedelta(minutes=2)
NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "active", "minutes"),
    [
        (0, False, 2),
        (3, False, 2),
        (4, True, 2),
        (4, False, 10),
        (14, True, 2),
        (20, True, 10),
        (20, False, 30),
        (None, True, 10),
        (None, False, 30),
    ],
)
def test_where_less_is_expected_it_is_read_more_rarely(days: int | None, active: bool, minutes: int) -> None:
    ago = timedelta(days=days) if days is not None else None
    assert between(BASE, sent_ago=ago, active=active) == timedelta(minutes=minutes)


def test_reading_leaves_most_of_a_days_calls_to_mail() -> None:
    wanted = between(BASE, sent_ago=timedelta(0), active=True, mailboxes=500, calls=2, calls_per_day=150_000)
    # 500 mailboxes and two calls each, of a quarter of 150,000.
    assert wanted == timedelta(days=1000 / 37_500)
    assert (
        between(BASE, sent_ago=timedelta(0), active=True, mailboxes=5, calls=2, calls_per_day=150_000) == BASE
    )


def test_after_a_miss_soon_and_ever_more_rarely() -> None:
    waits = [after_miss(NOW, misses, BASE, jitter=0.5) - NOW for misses in range(12)]
    assert waits[0] == timedelta(seconds=30)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=15)
    named = NOW + timedelta(hours=3)
    assert after_miss(NOW, 0, BASE, jitter=0.5, retry_at=named) == named


def test_many_do_not_come_at_once() -> None:
    assert after_look(NOW, BASE, jitter=0.0) == NOW + BASE
    assert after_look(NOW, BASE, jitter=1.0) == NOW + BASE * 0.9
