"""Hours as people choose them: zones, nights in which clocks change, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend.sending import schedule

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "at"),
    [
        ("2026-12-01T09:00", "Europe/Berlin", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("2026-12-01T09:00", "America/New_York", datetime(2026, 12, 1, 14, tzinfo=UTC)),
        ("2026-12-01T09:00", "Asia/Kathmandu", datetime(2026, 12, 1, 3, 15, tzinfo=UTC)),
        ("2026-12-01T09:00", "Nowhere/Land", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01T09:00+02:00", "Europe/Berlin", datetime(2026, 12, 1, 7, tzinfo=UTC)),
        # This hour comes twice: the first is meant.
        ("2027-10-31T02:30", "Europe/Berlin", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_an_hour_is_meant_in_its_zone(text: str, zone: str, at: datetime) -> None:
    assert schedule.hour(text, zone, NOW) == at


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Choose a day and an hour."),
        ("soon", "Choose a day and an hour."),
        ("2026-11-30T08:59", "That hour has passed. Choose one that is still to come."),
        ("2062-11-30T09:00", "Choose a day within a year."),
        ("9999-12-31T23:59", "Choose a day within a year."),
        ("0001-01-01T00:00", "Choose a day within a year."),
        ("2026-01-01T00:00", "That hour has passed. Choose one that is still to come."),
        (
            "2027-03-28T02:30",
            "There is no 02:30 on 28 March in Europe/Berlin: clocks go forward then. Choose another hour.",
        ),
    ],
)
def test_what_cannot_be_taken_is_said(text: str, words: str) -> None:
    with pytest.raises(schedule.Unschedulable, match=f"^{words}$"):
        schedule.hour(text, "Europe/Berlin", NOW)


@given(st.text(max_size=70), st.text(max_size=70))
def test_anything_typed_is_an_hour_or_a_sentence(text: str, zone: str) -> None:
    told = ""
    try:
        at = schedule.hour(text, zone, NOW)
    except schedule.Unschedulable as refusal:
        told = str(refusal)
    assert told.endswith(".") or at > NOW


@given(st.sampled_from(schedule.listed()), st.integers(1, 500_000))
def test_an_hour_that_is_written_is_read_again(zone: str, minutes: int) -> None:
    at = NOW + timedelta(minutes=minutes)
    read = schedule.hour(schedule.written(at, zone), zone, NOW)
    # Of an hour that comes twice the first is read.
    assert at - read in {timedelta(), timedelta(hours=1), timedelta(minutes=30)}


def test_late_is_what_had_an_hour_and_missed_it_long_ago() -> None:
    late = schedule.late_after(NOW)
    assert not schedule.is_late(None, NOW)
    assert not schedule.is_late(late, NOW + schedule.LATE)
    assert schedule.is_late(late, NOW + schedule.LATE + timedelta(seconds=1))
