"""When a token is renewed next. Pure; ``jitter`` is a random number from 0 to 1, so that many do not come at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from truesend.connections.causes import Severity, cause

# The renewal is what proves that there will be a next one, so a long-lived token is renewed within the hour all the
# same. Where each renewal may be the last one (`renews_once`), others prove it, and an idle grant is kept alive.
LONGEST_BETWEEN = timedelta(minutes=50)
LONGEST_IDLE = timedelta(days=7)
BEFORE_THE_END = timedelta(minutes=15)
# After a failure that passes by itself, and after one that somebody must repair first. With their jitter both stay
# within the quarter of an hour after which what is mended has to show.
RETRY = timedelta(minutes=2)
RETRY_BROKEN = timedelta(minutes=12)
# An access token with less life than this is renewed before use.
MARGIN = timedelta(minutes=2)
# A provider that asks for more patience is asked again after so much.
LONGEST_ASKED = timedelta(minutes=15)


def after_success(now: datetime, expires_in: int, *, renews_once: bool, jitter: float) -> datetime:
    """At 80 % of life or 15 minutes before the end, whichever comes first, or sooner; never after the end.

    ``expires_in`` is in seconds. A life of less than half an hour is halved.
    """
    life = timedelta(seconds=expires_in)
    longest = LONGEST_IDLE if renews_once else LONGEST_BETWEEN
    return now + min(life * 0.8, max(life - BEFORE_THE_END, life / 2), longest) * (1.0 - 0.08 * jitter)


def after_failure(now: datetime, code: str, *, jitter: float, retry_at: datetime | None = None) -> datetime:
    """When to try again after a renewal that failed for that cause; ``retry_at`` is the provider's own time for it.

    What concerns this installation's client is tried often: all connections but one wait for it anyway.
    """
    known = cause(code)
    lasting = known.severity is Severity.BROKEN and not known.of_the_client
    ours = now + (RETRY_BROKEN if lasting else RETRY) * (0.8 + 0.4 * jitter)
    return max(ours, min(retry_at, now + LONGEST_ASKED)) if retry_at is not None else ours
