"""When a provider says to come back, in its header ``Retry-After``: seconds or an HTTP date (RFC 9110, 10.2.3).

Seconds with a fraction, which the RFC does not know, stand in a provider's documentation ("2.128").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# The longest block that a provider tells of is 24 hours (Gmail, support.google.com/a/answer/166852).
FARTHEST = timedelta(days=7)
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def of_header(header: str | None, now: datetime) -> datetime | None:
    """The moment that the header names, whether it can be meant or not; None where it names none."""
    text = (header or "").strip()
    try:
        if _SECONDS.fullmatch(text):
            return now + timedelta(seconds=float(text))
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError):
        return None


def to_come(told: Iterable[datetime | None], now: datetime) -> datetime | None:
    """The latest of the moments told that is still to come; None where there is none, or none that can be meant.

    A time in the past says nothing any more, one beyond :data:`FARTHEST` is nonsense: the caller's own patience
    decides then.
    """
    return max((at for at in told if at is not None and now < at <= now + FARTHEST), default=None)
