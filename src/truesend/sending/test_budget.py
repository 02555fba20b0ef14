"""The rolling day: what fits now, what goes later, and what is left to single emails."""

from __future__ import annotations

import random
from bisect import bisect_left
from datetime import UTC, datetime, timedelta

import pytest

from truesend.providers.shapes import DayLimit
from truesend.sending.budget import DAY, Day, Load, plan_copies, plan_one, takes_too_long, waves

NOW = datetime(2026, 11, 30, 9, 12, 20, tzinfo=UTC)
FAST = 10_000


def day(messages: int = 500, recipients: int = 0, *load: Load, own: int = 0) -> Day:
    return Day(DayLimit(messages, recipients, 60, "So many."), own, load)


def ago(hours: float, messages: int, recipients: int | None = None) -> Load:
    at = (NOW - timedelta(hours=hours)).replace(second=0)
    return Load(at, messages, messages if recipients is None else recipients)


def test_what_fits_leaves_now_at_the_mailboxs_pace() -> None:
    plan = plan_copies(90, NOW, day(), per_minute=30)
    assert not plan.late
    assert plan.times[0] == NOW
    assert plan.days == 1
    assert all(
        one - two >= timedelta(seconds=1.9) for two, one in zip(plan.times, plan.times[1:], strict=False)
    )
    for start in plan.times:
        assert sum(start <= one < start + timedelta(minutes=1) for one in plan.times) <= 30


def test_over_how_many_days_is_told_in_words() -> None:
    # What left some minutes ago is free again some minutes sooner than a day from now.
    nearly = plan_copies(12, NOW, day(30, 0, ago(0.1, 20)), per_minute=FAST)
    assert nearly.times[-1] - nearly.times[0] < DAY
    assert [one.count for one in nearly.waves] == [7, 5]
    assert (nearly.days, nearly.over) == (2, "over 2 days")
    soon = plan_copies(12, NOW, day(30, 0, ago(20, 20)), per_minute=FAST)
    assert [one.count for one in soon.waves] == [7, 5]
    assert soon.over == "in parts"


def test_what_does_not_fit_goes_a_day_later_and_a_part_is_left_to_single_emails() -> None:
    plan = plan_copies(1_000, NOW, day(), per_minute=FAST)
    first, second, third = plan.waves
    assert [one.count for one in (first, second, third)] == [450, 450, 100]
    assert second.first - first.last >= DAY
    assert second.first - first.last < DAY + timedelta(minutes=2)
    assert plan.days == 3
    assert plan_one(1, NOW + timedelta(hours=1), day(500, 0, Load(NOW, 450, 450))).times[
        0
    ] == NOW + timedelta(hours=1)


def test_what_was_sent_frees_its_part_a_day_after() -> None:
    used = day(500, 0, ago(23, 300), ago(2, 150))
    plan = plan_copies(100, NOW, used, per_minute=FAST)
    assert plan.late
    assert timedelta(minutes=59) < plan.times[0] - NOW <= timedelta(minutes=61)
    assert plan.waves[0].count == 100
    single = plan_one(1, NOW, used)
    assert not single.late


def test_a_single_email_waits_only_for_the_whole_day() -> None:
    assert plan_one(1, NOW, day(500, 0, ago(3, 499))).late is False
    full = plan_one(1, NOW, day(500, 0, ago(3, 500)))
    assert full.late
    assert timedelta(hours=21) <= full.times[0] - NOW <= timedelta(hours=21, minutes=1)


def test_recipients_count_where_the_provider_counts_them() -> None:
    outlook = day(0, 300, ago(1, 2, 250))
    assert plan_one(40, NOW, outlook).late is False
    assert plan_one(60, NOW, outlook).late
    assert plan_one(400, NOW, outlook).late  # more than fits into any day: alone in one
    assert plan_copies(30, NOW, outlook, per_minute=FAST).waves[0].count == 20


def test_what_a_person_lowered_counts() -> None:
    assert day(own=100).messages == 100
    assert day(own=100).reserve == 10
    assert day(own=9_000).messages == 500
    assert day(0, 10_000, own=50).copies == 45
    assert day(0, 0).copies == 0
    assert not plan_copies(5_000, NOW, day(0, 0), per_minute=FAST).late


def test_nobody_plans_for_years() -> None:
    assert takes_too_long(10_000, day(own=10))
    assert not takes_too_long(10_000, day())


def test_another_mailing_keeps_its_place() -> None:
    """What is planned for tomorrow counts tomorrow: neither of two mailings may push the other over."""
    planned = [Load(one, 1, 1) for one in plan_copies(900, NOW, day(), per_minute=FAST).times]
    second = plan_copies(50, NOW, day(500, 0, *planned), per_minute=FAST)
    assert second.times[0] - NOW >= DAY
    check([*(one.at for one in planned), *second.times], 450)


def check(times: list[datetime], most: int) -> None:
    ordered = sorted(times)
    for number, one in enumerate(ordered):
        assert bisect_left(ordered, one + DAY) - number <= most


@pytest.mark.parametrize("seed", range(25))
def test_no_day_ever_holds_more(seed: int) -> None:
    """Whatever was sent and is planned: over all windows of 24 hours, to the second."""
    dice = random.Random(seed)
    most = dice.choice([20, 60, 500])
    sent = [NOW - timedelta(minutes=dice.randrange(1, 1500)) for _ in range(dice.randrange(most))]
    load = [Load(one.replace(second=0), 1, 1) for one in sent]
    known = day(most, 0, *load)
    plan = plan_copies(dice.randrange(1, 3 * most), NOW, known, per_minute=dice.choice([1, 30, FAST]))
    assert list(plan.times) == sorted(plan.times)
    ours = [one for one in (*sent, *plan.times) if one > NOW - DAY]
    within = [one for one in ours if one > NOW - DAY]
    ceiling = max(known.copies, len([one for one in sent if one > NOW - DAY - timedelta(minutes=1)]))
    check(within, ceiling)


def test_waves_are_parted_where_nothing_leaves_for_an_hour() -> None:
    times = [NOW, NOW + timedelta(minutes=59), NOW + timedelta(hours=3)]
    assert [(one.count, one.first, one.last) for one in waves(times)] == [
        (2, times[0], times[1]),
        (1, times[2], times[2]),
    ]
