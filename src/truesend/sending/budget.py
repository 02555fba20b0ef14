"""How much of a mailbox's day is used, and when what is still to go may go. Pure.

Providers count a rolling day: what was sent at ten yesterday is free again at ten. So does this, in minutes, with what
was sent and what waits for its hour. Copies of one email to many leave a part of the day to single emails, and leave at
a pace the mailbox takes. What is sent by other programs nobody tells us, so a plan is never a promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from operator import sub

from truesend.providers.shapes import DayLimit

DAY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)
# A day and the minute it begins in, of which nobody remembers the second.
_MINUTES = 24 * 60 + 1
# Copies of more than so many days ask for another way.
MOST_DAYS = 60
# A tenth is left to single emails, and never more than so many.
_RESERVE_SHARE, _MOST_RESERVE = 10, 100
# Copies that are further apart than this are told apart.
_GAP = timedelta(hours=1)


@dataclass(frozen=True)
class Load:
    """Emails and their recipients that left, or are ``planned`` to leave, in the minute that begins ``at``."""

    at: datetime
    messages: int
    recipients: int
    planned: bool = False


@dataclass(frozen=True)
class Day:
    """What a mailbox may send in 24 hours, and what it has sent and is to send: ``load``.

    ``own`` is what a person lowered it to (0: nobody did).
    """

    limit: DayLimit
    own: int
    load: Sequence[Load]

    @property
    def messages(self) -> int:
        """Emails in 24 hours; 0 for no limit."""
        return _least(self.limit.messages, self.own)

    @property
    def recipients(self) -> int:
        """Recipients in 24 hours; 0 for no limit."""
        return self.limit.recipients

    @property
    def told(self) -> str:
        """Whose figure the day is, in a sentence: that of a person who lowered it, else the provider's."""
        if not self.own:
            return self.limit.told
        number = "One email in 24 hours is" if self.own == 1 else f"{self.own:,} emails in 24 hours are"
        return f"{number} what this mailbox is kept to."

    @property
    def reserve(self) -> int:
        """How many are left to single emails."""
        most = _least(self.messages, self.recipients)
        return min(most // _RESERVE_SHARE, _MOST_RESERVE)

    @property
    def copies(self) -> int:
        """How many copies of emails to many may leave in 24 hours; 0 for any number."""
        most = _least(self.messages, self.recipients)
        return max(1, most - self.reserve) if most else 0

    def ceilings(self, reserve: int) -> tuple[int, int]:
        """(emails, recipients) that may leave in 24 hours where so many are left to others; 0 for any number."""
        messages, recipients = (
            max(1, one - reserve) if one else 0 for one in (self.messages, self.recipients)
        )
        return messages, recipients

    def used(self, now: datetime) -> int:
        """Emails of the past 24 hours."""
        return sum(one.messages for one in self.load if not one.planned and now - DAY < one.at)


@dataclass(frozen=True)
class Wave:
    """Copies that leave one after the other: how many, the first, the last."""

    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Plan:
    """When each of some emails leaves, in order; ``late``: the first would have left sooner but for the budget."""

    times: tuple[datetime, ...]
    late: bool
    day: Day

    @property
    def waves(self) -> list[Wave]:
        """The times, parted where nothing leaves for an hour."""
        return waves(self.times)

    @property
    def days(self) -> int:
        """Over how many days they leave; what is sent already lets some of the next day's go an hour or two sooner."""
        return (self.times[-1] - self.times[0] + 2 * _GAP) // DAY + 1 if self.times else 0

    @property
    def over(self) -> str:
        """“over 2 days”, or “in parts” where that is a matter of hours."""
        return f"over {self.days} days" if self.days > 1 else "in parts"


def waves(times: Sequence[datetime]) -> list[Wave]:
    """``times`` in order, parted where nothing leaves for an hour."""
    found: list[Wave] = []
    start = 0
    for number in range(1, len(times) + 1):
        if number == len(times) or times[number] - times[number - 1] > _GAP:
            found.append(Wave(number - start, times[start], times[number - 1]))
            start = number
    return found


def plan_copies(count: int, start: datetime, day: Day, *, per_minute: int) -> Plan:
    """When ``count`` copies of one email leave, from ``start`` on: at most ``per_minute`` of them in one minute."""
    ceilings = day.ceilings(day.reserve)
    times = _place(count, start, _Grid(start, day.load, ceilings), per_minute)
    return Plan(tuple(times), bool(times) and times[0] > start, day)


def plan_one(recipients: int, start: datetime, day: Day) -> Plan:
    """When a single email leaves: only what has left counts, for what waits leaves it its part."""
    past = [one for one in day.load if not one.planned]
    messages, people = day.ceilings(0)
    # One email may go to more people than are left only where nothing else has been sent.
    ceilings = (messages, max(0, people - recipients + 1) or 1 if people else 0)
    times = _place(1, start, _Grid(start, past, ceilings), 1)
    return Plan(tuple(times), times[0] > start, day)


def takes_too_long(count: int, day: Day) -> bool:
    """Whether so many copies need more days than anybody plans for."""
    return day.copies > 0 and count > day.copies * MOST_DAYS


def _least(*limits: int) -> int:
    """The least of those that are limits at all; 0 for none."""
    return min(filter(None, limits), default=0)


class _Grid:
    """Minutes from a day before ``start`` on, with what leaves in each, by emails and by recipients."""

    def __init__(self, start: datetime, load: Iterable[Load], ceilings: tuple[int, int]) -> None:
        self.zero = _floor(start) - _MINUTES * MINUTE
        self.ceilings = ceilings
        self.rows: tuple[list[int], list[int]] = ([], [])
        for one in load:
            at = (_floor(one.at) - self.zero) // MINUTE
            if at >= 0:
                self.add(at, one.messages, one.recipients)

    def add(self, at: int, messages: int, recipients: int) -> None:
        for row, number in zip(self.rows, (messages, recipients), strict=True):
            if len(row) <= at:
                row.extend([0] * (at + _MINUTES - len(row)))
            row[at] += number

    def room(self, at: int) -> tuple[int, int]:
        """(how many more fit into minute ``at``, else 0 and the next minute worth looking at)."""
        most, following = 1 << 30, at
        for row, ceiling in zip(self.rows, self.ceilings, strict=True):
            if not ceiling:
                continue
            # Whatever leaves now counts in every day that ends within the next.
            days = _windows(row, at)
            most = min(most, ceiling - max(days))
            if most <= 0:
                full = next((n for n, sent in enumerate(reversed(days)) if sent >= ceiling), None)
                following = max(following, at + _MINUTES - full) if full is not None else following
        return (most, at) if most > 0 else (0, following)


def _windows(row: Sequence[int], at: int) -> list[int]:
    """What the days hold that end in minute ``at`` and in each of the next."""
    around = row[max(0, at - _MINUTES + 1) : at + _MINUTES]
    missing = [0] * max(0, _MINUTES - 1 - at)
    padded = [*missing, *around]
    padded += [0] * (2 * _MINUTES - 1 - len(padded))
    sums = list(accumulate(padded, initial=0))
    return list(map(sub, sums[_MINUTES:], sums[:_MINUTES]))


def _place(count: int, start: datetime, grid: _Grid, per_minute: int) -> list[datetime]:
    """The times at which ``count`` emails fit, the earliest there are."""
    times: list[datetime] = []
    at, pace = _MINUTES, max(1, per_minute)
    step = MINUTE / pace
    while len(times) < count:
        room, following = grid.room(at)
        if not room:
            at = following
            continue
        minute = grid.zero + at * MINUTE
        begins = max(start, minute, times[-1] + step if times else start)
        fits = -(-(minute + MINUTE - begins) // step)
        number = min(room, pace, fits, count - len(times))
        if number > 0:
            times += [begins + step * one for one in range(number)]
            grid.add(at, number, number)
        at += 1
    return times


def _floor(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
