"""How far an email with several copies is, as its page draws it: a bar, counts, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from truesend import clock
from truesend.sending import progress
from truesend.sending.models import Delivery, EmailStatus
from truesend.sending.progress import Progress
from truesend.web.copies import A_MOMENT
from truesend.web.templatetags.look import moment

# In the order of the bar: what has ended first.
_PARTS = (
    ("sent", "sent"),
    ("unknown", "unknown"),
    ("failed", "not sent"),
    ("stopped", "stopped"),
    ("waiting", "waiting"),
    ("paused", "paused"),
    ("held", "held"),
)
WIDTH = 600
"""Units of the drawing."""


def shown(status: str, copies: Sequence[Delivery]) -> dict[str, Any] | None:
    """{total, parts [{name, word, count, x, width}], sentence, can_pause, can_resume, can_stop}.

    None where there is one copy only.
    """
    if len(copies) < 2:
        return None
    found = progress.of(copies)
    return {
        "total": found.total,
        "width": WIDTH,
        "parts": _parts(found),
        "words": ", ".join(
            f"{getattr(found, name):,} {word}" for name, word in _PARTS if getattr(found, name)
        ),
        "sentence": _sentence(status, found),
        "can_pause": found.waiting > 0,
        "can_resume": found.paused > 0,
    }


def _parts(found: Progress) -> list[dict[str, Any]]:
    parts, before = [], 0
    for name, word in _PARTS:
        count = getattr(found, name)
        if count:
            x, end = (WIDTH * number // found.total for number in (before, before + count))
            parts.append({"name": name, "word": word, "count": count, "x": x, "width": max(1, end - x)})
        before += count
    return parts


def _sentence(status: str, found: Progress) -> str | SafeString:
    left = found.sent + found.unknown
    if found.paused:
        have = "copy has" if left == 1 else "copies have"
        gone = f"{left:,} {have} left, and what has left has left." if left else "Nothing has left."
        return f"Paused. {gone}"
    if found.is_over or found.last_at is None or status == EmailStatus.SCHEDULED:
        return ""
    now = clock.now()
    if found.last_at <= now + A_MOMENT:
        return "The last one leaves in a moment."
    last = moment(clock.minute_after(found.last_at), "point")
    if found.next_at is not None and found.next_at > now + 12 * A_MOMENT:
        following = moment(clock.minute_after(found.next_at), "point")
        return format_html("The next one leaves at {}, the last one about {}.", following, last)
    return format_html("The last one leaves about {}.", last)
