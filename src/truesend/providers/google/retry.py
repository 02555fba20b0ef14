"""When Google says to come back: in the text of a limit, and in a header it never promised.

Text: "User-rate limit exceeded.  Retry after 2024-11-12T11:16:42.247Z" (googleapis/google-api-ruby-client#20544).
``Retry-After`` is named in no guide, and Gmail's 429 was seen without; it is heeded where it comes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from truesend import clock
from truesend.providers import retry_after

_TEXT = re.compile(
    r"Retry after\s+(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))", re.IGNORECASE
)


def retry_at(message: str, header: str | None = None) -> datetime | None:
    """The later of the two times that is still to come; None where neither is, or none that can be meant."""
    now = clock.now()
    return retry_after.to_come((_of_text(message), retry_after.of_header(header, now)), now)


def _of_text(message: str) -> datetime | None:
    found = _TEXT.search(message)
    try:
        return datetime.fromisoformat(found[1]).astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        return None
