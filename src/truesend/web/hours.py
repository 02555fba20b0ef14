"""Sentences that name an hour, with it in the reader's zone: only the page knows that.

The minute is rounded as in the sentence itself, by :func:`truesend.clock.minute_after`.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from truesend import clock
from truesend.connections.causes import at_time
from truesend.connections.describe import Description
from truesend.web.templatetags.look import moment


def local(text: str, at: datetime | None, now: datetime | None = None) -> str | SafeString:
    """``text`` with what :func:`~truesend.connections.causes.at_time` wrote of ``at`` as a time of the page."""
    if at is None:
        return text
    told = at_time(at, now or clock.now())
    before, found, after = text.partition(told)
    if not found:
        return text
    # “at 14:05”, “on 25 Nov at 14:05”
    return format_html("{}{} {}{}", before, told[:2], moment(clock.minute_after(at), "point"), after)


def said_here(described: Description) -> str | SafeString:
    """What is said of a connection, with the hour at which it is over."""
    proof = described.verdict.proof
    return local(described.sentence, proof.until if proof is not None else None)
