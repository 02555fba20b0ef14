"""When a mailbox is read next. Pure; ``jitter`` is a random number from 0 to 1, so that many do not come at once."""

from __future__ import annotations

from datetime import datetime, timedelta

# Answers come soon, and most within two weeks; where nothing was sent for longer, few are still to come.
FRESH = timedelta(days=3)
LIVELY = timedelta(days=14)
_LIVELY_SLOWER, _QUIET_SLOWER = 5, 15
# Of the calls that a client may make in a day, reading takes so much; the rest is for mail.
SHARE = 0.25
_RETRY, _LONGEST_RETRY = timedelta(seconds=30), timedelta(minutes=15)


def between(
    base: timedelta,
    *,
    sent_ago: timedelta | None,
    active: bool,
    mailboxes: int = 1,
    calls: int = 1,
    calls_per_day: int = 0,
) -> timedelta:
    """The time between two looks into a mailbox that last sent ``sent_ago`` (None: never).

    ``active``: somebody of its organization was here within a day. ``mailboxes`` share the ``calls_per_day`` of one
    client (0: no such limit), and a look costs ``calls`` of them.
    """
    if sent_ago is not None and (sent_ago <= FRESH or (active and sent_ago <= LIVELY)):
        wanted = base
    elif active or (sent_ago is not None and sent_ago <= LIVELY):
        wanted = base * _LIVELY_SLOWER
    else:
        wanted = base * _QUIET_SLOWER
    if not calls_per_day:
        return wanted
    return max(wanted, timedelta(days=mailboxes * calls / (calls_per_day * SHARE)))


def after_look(now: datetime, usual: timedelta, *, jitter: float) -> datetime:
    """A little before the time is over."""
    return now + usual * (1.0 - 0.1 * jitter)


def after_miss(
    now: datetime, misses: int, usual: timedelta, *, jitter: float, retry_at: datetime | None = None
) -> datetime:
    """Soon after the first miss, ever more rarely after it; never before the time that the provider named."""
    wait = min(_RETRY * (1 << min(misses, 6)), max(_LONGEST_RETRY, usual)) * (0.9 + 0.2 * jitter)
    return now + wait if retry_at is None else max(now + wait, retry_at)
