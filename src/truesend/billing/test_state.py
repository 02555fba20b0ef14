"""The whole table of states: every status, before and after every hour that matters."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from truesend.billing import words
from truesend.billing.state import (
    GRACE,
    KNOWN,
    TRIAL,
    Standing,
    State,
    Subscription,
    Why,
    judge,
    looks_again,
    notice_due,
)
from truesend.billing.tiers import TIERS, TOP, Feature, PricesUnreadable, least_with, read_prices, tier

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
RUNS, OVER = NOW + timedelta(days=10), NOW - timedelta(days=1)
DAY = timedelta(days=1)
STARTER = TIERS[0]


def sub(status: str, **fields: object) -> Subscription:
    given: dict[str, object] = {"id": f"sub_{status}", "tier": "starter", "period_ends_at": RUNS, **fields}
    return Subscription(status=status, **given)  # type: ignore[arg-type]


def test_thirty_days_are_tried_with_everything() -> None:
    assert timedelta(days=30) == TRIAL
    begun = judge(NOW + TRIAL, [], NOW)
    assert (begun.state, begun.tier, begun.stops_at, begun.sends) == (State.TRIAL, TOP, NOW + TRIAL, True)
    assert judge(NOW + TRIAL, [], NOW + TRIAL - timedelta(microseconds=1)).state is State.TRIAL
    ended = judge(NOW + TRIAL, [], NOW + TRIAL)
    assert (ended.state, ended.tier, ended.why, ended.sends) == (State.INACTIVE, None, Why.TRIAL_ENDED, False)


# status -> (state, tier, why) where the organization's own trial is over; the table of stripe's statuses, whole
TABLE = {
    "trialing": (State.TRIAL, TOP, Why.NONE),
    "active": (State.ACTIVE, STARTER, Why.NONE),
    "past_due": (State.PAST_DUE, STARTER, Why.NONE),
    "incomplete": (State.INACTIVE, None, Why.INCOMPLETE),
    "incomplete_expired": (State.INACTIVE, None, Why.CANCELED),
    "canceled": (State.INACTIVE, None, Why.CANCELED),
    "unpaid": (State.INACTIVE, None, Why.UNPAID),
    "paused": (State.INACTIVE, None, Why.PAUSED),
    "suspended_by_the_moon": (State.INACTIVE, None, Why.UNKNOWN),
}


def test_the_table_has_every_status_there_is() -> None:
    assert KNOWN | {"suspended_by_the_moon"} == TABLE.keys()


@pytest.mark.parametrize("status", TABLE)
def test_each_status_by_itself(status: str) -> None:
    found = judge(OVER, [sub(status, past_due_since=NOW)], NOW)
    assert (found.state, found.tier, found.why) == TABLE[status]
    assert found.sends is (found.state is not State.INACTIVE)


@pytest.mark.parametrize("status", TABLE)
def test_a_trial_that_runs_is_taken_from_nobody(status: str) -> None:
    found = judge(RUNS, [sub(status, past_due_since=NOW)], NOW)
    state, bought, _ = TABLE[status]
    if state is State.INACTIVE:
        assert (found.state, found.tier, found.stops_at) == (State.TRIAL, TOP, RUNS)
    else:
        assert (found.state, found.tier) == (state, bought)


def test_seven_days_of_grace_and_not_a_moment_more() -> None:
    assert timedelta(days=7) == GRACE
    one = sub("past_due", past_due_since=NOW)
    last = judge(OVER, [one], NOW + GRACE - timedelta(microseconds=1))
    assert (last.state, last.stops_at) == (State.PAST_DUE, NOW + GRACE)
    assert judge(OVER, [one], NOW + GRACE).why is Why.PAYMENT_FAILED
    assert judge(OVER, [sub("past_due")], NOW).state is State.INACTIVE


def test_what_was_cancelled_goes_on_until_its_end_and_says_when() -> None:
    found = judge(OVER, [sub("active", ends_at=RUNS)], NOW)
    assert (found.state, found.stops_at, found.renews_at) == (State.ACTIVE, RUNS, None)
    kept = judge(OVER, [sub("active")], NOW)
    assert (kept.stops_at, kept.renews_at) == (None, RUNS)
    trying = judge(OVER, [sub("trialing", trial_ends_at=NOW + DAY)], NOW)
    assert (trying.stops_at, trying.renews_at) == (None, NOW + DAY)


def test_what_was_chosen_is_known_while_everything_is_tried() -> None:
    trying = judge(OVER, [sub("trialing", trial_ends_at=NOW + DAY)], NOW)
    assert (trying.tier, trying.then) == (TOP, STARTER)
    assert judge(OVER, [sub("trialing", ends_at=RUNS)], NOW).then is None
    assert judge(RUNS, [], NOW).then is None
    two = [sub("trialing", id="sub_a", tier="business"), sub("trialing", id="sub_b")]
    assert judge(OVER, two, NOW).then == judge(OVER, two[::-1], NOW).then == tier("business")


@pytest.mark.parametrize("status", ["active", "trialing"])
def test_of_two_alike_the_one_that_goes_on_counts(status: str) -> None:
    for goes_on, ends in (("sub_a", "sub_b"), ("sub_b", "sub_a")):
        two = [sub(status, id=goes_on), sub(status, id=ends, ends_at=RUNS)]
        assert judge(OVER, two, NOW).stops_at is None


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(TABLE, 2)), ids=str)
def test_of_two_the_better_one_counts_whatever_their_order(first: str, second: str) -> None:
    order = (State.INACTIVE, State.PAST_DUE, State.TRIAL, State.ACTIVE)
    two = [sub(first, past_due_since=NOW), sub(second, past_due_since=NOW)]
    found = judge(OVER, two, NOW)
    assert found.state is max((TABLE[first][0], TABLE[second][0]), key=order.index)
    assert found == judge(OVER, two[::-1], NOW)
    assert found.live == sum(TABLE[one][0] is not State.INACTIVE for one in (first, second))


def test_of_two_that_are_paid_the_higher_tier_counts() -> None:
    two = [sub("active", id="sub_1", tier="business"), sub("active", id="sub_2")]
    found = judge(OVER, two, NOW)
    assert (found.tier, found.subscription, found.live) == (tier("business"), "sub_1", 2)


def test_of_several_it_stops_when_the_last_of_them_does() -> None:
    ends, goes_on = sub("active", id="sub_1", tier="premium", ends_at=NOW + DAY), sub("active", id="sub_2")
    found = judge(OVER, [ends, goes_on], NOW)
    assert (found.subscription, found.stops_at) == ("sub_1", None)
    later = sub("active", id="sub_2", ends_at=NOW + 3 * DAY)
    assert judge(OVER, [ends, later], NOW).stops_at == NOW + 3 * DAY
    owed = [sub("past_due", id=f"sub_{days}", past_due_since=NOW - days * DAY) for days in (1, 2)]
    assert judge(OVER, owed, NOW).stops_at == NOW - DAY + GRACE


def test_what_is_owed_and_cancelled_stops_at_whichever_comes_first() -> None:
    owed = sub("past_due", past_due_since=NOW, ends_at=NOW + 2 * DAY)
    assert judge(OVER, [owed], NOW).stops_at == NOW + 2 * DAY
    assert judge(OVER, [sub("past_due", past_due_since=NOW, ends_at=RUNS)], NOW).stops_at == NOW + GRACE


def test_a_tier_that_is_no_more_is_the_lowest_and_never_nothing() -> None:
    assert judge(OVER, [sub("active", tier="platinum")], NOW).tier is STARTER


@pytest.mark.parametrize(
    ("left", "told"),
    [(8 * DAY, 0), (7 * DAY, 7), (4 * DAY, 7), (3 * DAY, 3), (2 * DAY, 3), (DAY, 1), (timedelta(0), 0)],
    ids=str,
)
def test_it_is_told_seven_three_and_one_days_before(left: timedelta, told: int) -> None:
    assert notice_due(NOW + left, NOW) == told


def test_it_is_looked_at_again_whenever_there_is_something_to_tell() -> None:
    standing = Standing(State.TRIAL, TOP, stops_at=NOW + 8 * DAY)
    seen, now = [], NOW
    while now < NOW + 8 * DAY:
        again = looks_again(standing, now)
        assert again is not None
        assert again > now
        seen.append(again - NOW)
        now = again
    assert seen == [DAY, 5 * DAY, 7 * DAY, 8 * DAY]
    assert looks_again(Standing(State.ACTIVE, TOP), NOW) is None
    # What should be over and is not, by Stripe's last word, is looked at again.
    assert looks_again(standing, NOW + 9 * DAY) == NOW + 9 * DAY + timedelta(hours=1)


def test_tiers_are_data() -> None:
    assert TOP.features == frozenset(Feature)
    for lower, higher in itertools.pairwise(TIERS):
        assert lower.features <= higher.features
    for feature in Feature:
        assert least_with(feature).has(feature)


def test_prices_are_read_and_the_first_of_a_tier_is_sold() -> None:
    found = read_prices(" starter=price_1, business=price_2 ,business=price_0,")
    assert found.tier_of("price_0") is tier("business")
    assert found.sold == {"starter": "price_1", "business": "price_2"}
    assert found.tier_of("price_9") is None


@pytest.mark.parametrize(
    "text", ["gold=price_1", "starter", "starter=", "starter=a b", "starter=p,business=p"]
)
def test_prices_that_cannot_be_read_say_so(text: str) -> None:
    with pytest.raises(PricesUnreadable):
        read_prices(text)


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (Standing(State.TRIAL, TOP, stops_at=NOW), ("Trial, Premium", "until 2026-12-01")),
        (Standing(State.ACTIVE, STARTER), ("Paid, Starter", "")),
        (Standing(State.PAST_DUE, STARTER, stops_at=NOW), ("Payment overdue, Starter", "until 2026-12-01")),
        (Standing(State.INACTIVE, None, Why.TRIAL_ENDED), ("Inactive", "its trial is over")),
    ],
)
def test_the_audit_log_has_no_codes(standing: Standing, told: tuple[str, str]) -> None:
    assert words.noted(standing) == told


def test_every_reason_has_words_for_the_log() -> None:
    told = {why: words.noted(Standing(State.INACTIVE, None, why))[1] for why in Why}
    assert [why for why, said in told.items() if not said] == [Why.NONE]
