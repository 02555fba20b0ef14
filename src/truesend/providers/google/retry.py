"""When Google says to come back: in the text of a limit, and in a header it never promised.

Text: "User-rate limit exceeded.  Retry after 2024-11-12T11:16:42.247Z" (googleapis/google-api-ruby-client#20544).
``Retry-After`` is named in no guide, and Gmail's 429 was seen without; it is heeded where it comes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from truesend import clock

# The longest block that Google tells of is 24 hours (support.google.com/a/answer/166852).
FARTHEST = timedelta(days=7)
_TEXT = re.compile(
    r"Retry after\s+(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))", re.IGNORECASE
)


def retry_at(message: str, header: str | None = None) -> datetime | None:
    """The later of the two times that is still to come; None where neither is, or none that can be meant.

    A time in the past says nothing any more, one beyond :data:`FARTHEST` is nonsense: the caller's own patience
    decides then.
    """
    now = clock.now()
    told = [moment for moment in (_of_text(message), _of_header(header, now)) if moment is not None]
    return max((moment for moment in told if now < moment <= now + FARTHEST), default=None)


def _of_text(message: str) -> datetime | None:
    found = _TEXT.search(message)
    try:
        return datetime.fromisoformat(found[1]).astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        return None


def _of_header(header: str | None, now: datetime) -> datetime | None:
    """Seconds or an HTTP date (RFC 9110, 10.2.3)."""
    text = (header or "").strip()
    try:
        if text.isascii() and text.isdigit():
            return now + timedelta(seconds=int(text))
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError):
        return None
