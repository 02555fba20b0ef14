"""The state of an organization's account, by one pure function of what is known and the time.

Stripe's statuses are those of its API 2026-10-28 (`Subscription.status`); the list is open, so an unknown one gives
nothing and is told to whoever runs the installation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from truesend.billing.tiers import LOWEST, TOP, Tier, rank, tier

TRIAL = timedelta(days=30)
GRACE = timedelta(days=7)
# Days before the end at which it is told, the nearest last.
TOLD_DAYS = (7, 3, 1)
LAST_DAYS = timedelta(days=TOLD_DAYS[0])


class State(StrEnum):
    """What an account may do; only ``inactive`` keeps it from sending."""

    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    INACTIVE = "inactive"


class Why(StrEnum):
    """Why an account is inactive, or empty."""

    NONE = ""
    TRIAL_ENDED = "trial_ended"
    PAYMENT_FAILED = "payment_failed"
    UNPAID = "unpaid"
    PAUSED = "paused"
    INCOMPLETE = "incomplete"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


# What a subscription that gives nothing says of the account; where several stand, the first in this order is told.
_GIVES_NOTHING = {
    "unpaid": Why.UNPAID,
    "paused": Why.PAUSED,
    "incomplete": Why.INCOMPLETE,
    "canceled": Why.CANCELED,
    "incomplete_expired": Why.CANCELED,
}
_LIVE = ("active", "trialing", "past_due")
KNOWN = frozenset({*_GIVES_NOTHING, *_LIVE})
# These never come back: a customer who returns has another subscription.
ENDED = frozenset({"canceled", "incomplete_expired"})
_TELL_FIRST = (
    Why.PAYMENT_FAILED, Why.UNPAID, Why.PAUSED, Why.UNKNOWN, Why.INCOMPLETE, Why.CANCELED, Why.TRIAL_ENDED,
)  # fmt: skip


@dataclass(frozen=True)
class Subscription:
    """What is known of one. ``tier`` is the last one known of it; ``ends_at`` is set where it was cancelled."""

    id: str
    status: str
    tier: str
    trial_ends_at: datetime | None = None
    period_ends_at: datetime | None = None
    ends_at: datetime | None = None
    past_due_since: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """How an account stands.

    ``stops_at`` is when it becomes inactive unless somebody does something; ``renews_at`` when it is charged next.
    ``live`` is how many subscriptions give something: more than one means that somebody pays twice. ``then`` is what
    was subscribed to while everything is tried.
    """

    state: State
    tier: Tier | None
    why: Why = Why.NONE
    stops_at: datetime | None = None
    renews_at: datetime | None = None
    subscription: str = ""
    live: int = 0
    then: Tier | None = None

    @property
    def sends(self) -> bool:
        """Whether it may send, schedule and connect."""
        return self.state is not State.INACTIVE


UNLOCKED = Standing(State.ACTIVE, TOP)
"""Of an installation that bills nobody."""


def judge(trial_ends_at: datetime, subscriptions: Sequence[Subscription], now: datetime) -> Standing:
    """The standing of an account: its best live subscription decides, else its own trial while that runs.

    An ended or unfinished subscription takes nothing from a trial that still runs: those days were promised.
    """
    given = [found for one in subscriptions if (found := _gives(one, now)) is not None]
    if given:
        best = max(given, key=_worth)
        return replace(best, stops_at=_stops_at(given), live=len(given))
    if now < trial_ends_at:
        return Standing(State.TRIAL, TOP, stops_at=trial_ends_at)
    reasons = {_why_nothing(one) for one in subscriptions} or {Why.TRIAL_ENDED}
    return Standing(State.INACTIVE, None, next(why for why in _TELL_FIRST if why in reasons))


def _gives(one: Subscription, now: datetime) -> Standing | None:
    """What a subscription gives by itself; None where that is nothing."""
    bought = tier(one.tier) or LOWEST
    if one.status == "trialing":
        renews = None if one.ends_at else one.trial_ends_at or one.period_ends_at
        then = None if one.ends_at else bought
        return Standing(
            State.TRIAL, TOP, stops_at=one.ends_at, renews_at=renews, subscription=one.id, then=then
        )
    if one.status == "active":
        renews = None if one.ends_at else one.period_ends_at
        return Standing(State.ACTIVE, bought, stops_at=one.ends_at, renews_at=renews, subscription=one.id)
    if one.status == "past_due" and one.past_due_since is not None and now < one.past_due_since + GRACE:
        stops = min(filter(None, (one.past_due_since + GRACE, one.ends_at)))
        return Standing(State.PAST_DUE, bought, stops_at=stops, subscription=one.id)
    return None


def _worth(one: Standing) -> tuple[int, int, bool, str]:
    """What is paid for counts before what is tried, and that before what is owed; then the tier that lasts.

    Of two alike that which goes on: nobody is told of an end that is none.
    """
    order = (State.PAST_DUE, State.TRIAL, State.ACTIVE)
    lasts = one.then if one.state is State.TRIAL else one.tier
    return (
        order.index(one.state),
        -1 if lasts is None else rank(lasts),
        one.stops_at is None,
        one.subscription,
    )


def _stops_at(given: Sequence[Standing]) -> datetime | None:
    """When nothing of it gives anything any more: what goes on beside the best one keeps the account alive."""
    ends = [one.stops_at for one in given if one.stops_at is not None]
    return max(ends) if len(ends) == len(given) else None


def _why_nothing(one: Subscription) -> Why:
    if one.status == "past_due":
        return Why.PAYMENT_FAILED
    return _GIVES_NOTHING.get(one.status, Why.UNKNOWN)


def notice_due(stops_at: datetime, now: datetime) -> int:
    """Of which of :data:`TOLD_DAYS` it is time to tell; 0 for none, and of several the nearest to the end."""
    if now >= stops_at:
        return 0
    return min((days for days in TOLD_DAYS if now >= stops_at - timedelta(days=days)), default=0)


def looks_again(standing: Standing, now: datetime) -> datetime | None:
    """When time alone changes something: the state, or what is to be told; None where it never does."""
    if standing.stops_at is None:
        return None
    moments = [standing.stops_at - timedelta(days=days) for days in TOLD_DAYS]
    # Stripe ends what was cancelled, and its word may come late: what is past is looked at again by and by.
    return min((one for one in [*moments, standing.stops_at] if one > now), default=now + timedelta(hours=1))
