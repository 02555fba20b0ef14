"""How a minute is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from truesend import clock
from truesend.connections.causes import at_time

MINUTE = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize("late", [-59.999, -30, -0.3, -0.000001, 0])
def test_a_minute_that_is_named_is_never_too_early(late: float) -> None:
    at = MINUTE + timedelta(seconds=late)
    assert clock.minute_after(at) == MINUTE
    assert at_time(at, MINUTE) == "at 14:05 UTC"


def test_a_hair_after_the_minute_is_the_next_one() -> None:
    assert clock.minute_after(MINUTE + timedelta(microseconds=1)) == MINUTE + timedelta(minutes=1)
    assert at_time(MINUTE + timedelta(seconds=0.4), MINUTE) == "at 14:06 UTC"
