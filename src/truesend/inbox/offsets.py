"""How far somebody's clock is from UTC, by the `Date` that their mail program wrote into an answer. Pure.

An offset is no zone: it says nothing of the other half of the year, so whatever is made of it says “about”.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from truesend.inbox.machines import is_list
from truesend.inbox.parts import Mail

# Places on Earth lie between these (tz database); in whole quarters of an hour.
LEAST, MOST = -12 * 60, 14 * 60
_QUARTER = 15
_OFFSET = re.compile(r"\d\d?:\d\d(?::\d\d)?\s+([+-])(\d\d)(\d\d)\b")


def of_mail(mail: Mail) -> int | None:
    """Minutes east of UTC by the clock of its writer; ``None`` where it does not tell, and of lists and bulk mail."""
    bulk = mail.headers.get("precedence").strip().lower() in {"bulk", "list", "junk"}
    return None if bulk or is_list(mail) else of_date(mail.headers.get("date"))


def of_date(header: str) -> int | None:
    """Minutes east of UTC that a `Date` names.

    `-0000` says that the zone is not known (RFC 5322 3.3), and `+0000` is what servers write whose users live
    anywhere (Exchange Online does), so it is no evidence either. Nor is an offset that no place has.
    """
    found = _OFFSET.search(header[:200])
    if found is None:
        return None
    hours, minutes = int(found[2]), int(found[3])
    total = (hours * 60 + minutes) * (-1 if found[1] == "-" else 1)
    if total == 0 or minutes > 59 or total % _QUARTER or not LEAST <= total <= MOST:
        return None
    return total


def name(minutes: int) -> str:
    """“UTC+9”, “UTC−3:30”."""
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"


def there(at: datetime, minutes: int) -> datetime:
    """``at`` as a clock so far from UTC shows it."""
    return at.astimezone(UTC).astimezone(timezone(timedelta(minutes=minutes)))
