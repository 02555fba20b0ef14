"""The hour at which an email leaves, on its recipients' clocks as far as they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from truesend import clock
from truesend.inbox import clocks, offsets
from truesend.sending.models import Email

# Of more people the hours are told together.
_NAMED = 2


def of(email: Email, at: datetime | None) -> str:
    """The sentence for an email; empty where nobody's clock is known. Without ``at`` it tells what hour it is there."""
    return sentence(clocks.of_email(email), at, clock.now())


def of_each(emails: Sequence[Email]) -> dict[UUID, str]:
    """What hour it is now for the people of each of some emails."""
    now = clock.now()
    return {pk: sentence(known, None, now) for pk, known in clocks.of_emails(emails).items()}


def sentence(known: Mapping[str, int], at: datetime | None, now: datetime) -> str:
    """“About 16:00 for ines@globex.example (UTC+9).” ``known``: minutes east of UTC by address."""
    if not known:
        return ""
    moment = at or now
    verb = "It is now" if at is None else "That is"
    if len(known) <= _NAMED:
        told = ", ".join(
            f"about {_hour(moment, offset, now)} for {address} ({offsets.name(offset)})"
            for address, offset in known.items()
        )
        return f"{verb} {told}."
    earliest, latest = min(known.values()), max(known.values())
    whose = f"for the {len(known)} people whose hour is known"
    if earliest == latest:
        return f"{verb} about {_hour(moment, latest, now)} {whose} ({offsets.name(latest)})."
    return f"{verb} between about {_hour(moment, earliest, now)} and {_hour(moment, latest, now)} {whose}."


def _hour(at: datetime, offset: int, now: datetime) -> str:
    """“16:00”; with its day where it is not today there: clocks on two sides of the world differ in it."""
    there = offsets.there(at, offset)
    if there.date() == offsets.there(now, offset).date():
        return f"{there:%H:%M}"
    return f"{there:%H:%M} on {there:%a} {there.day} {there:%b}"
