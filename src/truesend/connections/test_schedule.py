"""When a key is renewed next, and why a grant is dead: pure functions, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from truesend.connections import schedule

NOW = datetime(2026, 12, 3, 14, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def renewed(life: timedelta, *, renews_once: bool = False, jitter: float = 0.0) -> timedelta:
    due = schedule.after_success(NOW, int(life.total_seconds()), renews_once=renews_once, jitter=jitter)
    return due - NOW


@pytest.mark.parametrize(
    ("life", "due"),
    [
        (HOUR, 45 * MINUTE),  # a quarter of an hour before the end comes before 80 % of life
        (90 * MINUTE, 50 * MINUTE),  # the renewal is the proof that there will be a next one
        (DAY, 50 * MINUTE),
        (40 * MINUTE, 25 * MINUTE),
        (20 * MINUTE, 10 * MINUTE),
        (2 * MINUTE, MINUTE),
    ],
)
def test_a_key_is_renewed_well_before_its_end(life: timedelta, due: timedelta) -> None:
    assert renewed(life) == due


@pytest.mark.parametrize(
    ("life", "due"),
    [
        (DAY, 0.8 * DAY),
        (HOUR, 45 * MINUTE),
        (30 * DAY, 7 * DAY),  # idle or not, it is used at least weekly
    ],
)
def test_a_key_that_works_once_is_renewed_no_more_often_than_it_must(life: timedelta, due: timedelta) -> None:
    assert renewed(life, renews_once=True) == due


@pytest.mark.parametrize("life", [timedelta(seconds=1), MINUTE, HOUR, DAY, 365 * DAY])
def test_jitter_only_brings_it_forward(life: timedelta) -> None:
    for once in (False, True):
        latest, soonest = (renewed(life, renews_once=once, jitter=share) for share in (0.0, 1.0))
        assert timedelta(0) < soonest < latest < life
        assert soonest >= 0.9 * latest


@pytest.mark.parametrize("code", ["provider_error", "provider_timeout", "throttled", "client_secret_wrong"])
def test_what_passes_and_what_the_operator_mends_is_tried_again_soon(code: str) -> None:
    assert schedule.after_failure(NOW, code, jitter=1.0) - NOW < 3 * MINUTE


@pytest.mark.parametrize("code", ["admin_policy", "session_policy", "grant_revoked", "secret_unreadable"])
def test_what_somebody_must_mend_shows_within_a_quarter_of_an_hour(code: str) -> None:
    soonest, latest = (schedule.after_failure(NOW, code, jitter=share) - NOW for share in (0.0, 1.0))
    assert 5 * MINUTE < soonest < latest < 15 * MINUTE


def test_a_provider_that_names_its_time_gets_it_within_reason() -> None:
    told = schedule.after_failure(NOW, "throttled", jitter=0.0, retry_at=NOW + 6 * MINUTE)
    assert told == NOW + 6 * MINUTE
    assert schedule.after_failure(NOW, "throttled", jitter=0.0, retry_at=NOW + DAY) == NOW + 15 * MINUTE
    assert schedule.after_failure(NOW, "throttled", jitter=0.0, retry_at=NOW - HOUR) > NOW
