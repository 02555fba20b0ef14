"""The hour an email is written for: read in a person's zone, and from when it would come too late unasked.

Pure, but for the column that :func:`moved` makes.

A zone has nights in which an hour is left out, or comes twice. Of what comes twice the first is meant; what is left out
is refused in words.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import Case, DateTimeField, F, Value, When
from django.db.models.expressions import Combinable

from truesend.zones import UNKNOWN_ZONE, listed, zone, zones

LATE = timedelta(minutes=30)
"""Mail written for an hour that could not leave until so long after it waits for a person (docs/scheduling.md)."""

FURTHEST = timedelta(days=366)
PASSED = "That hour has passed. Choose one that is still to come."


class Unschedulable(ValueError):
    """An hour that cannot be taken, in a sentence for whoever chose it."""


def hour(text: str, zone_name: str, now: datetime) -> datetime:
    """The moment of `2026-12-01T09:00` in a zone. Raises :class:`Unschedulable`."""
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        raise Unschedulable("Choose a day and an hour.") from None
    if abs(written.year - now.year) > 1:
        raise Unschedulable("Choose a day within a year.")
    if written.tzinfo is not None:
        return _near(written, now)
    there = zone(zone_name)
    at = written.replace(tzinfo=there, fold=0)
    if at.astimezone(UTC).astimezone(there).replace(tzinfo=None) != written:
        shown = f"{written:%H:%M} on {written.day} {written:%B}"
        raise Unschedulable(
            f"There is no {shown} in {there.key}: clocks go forward then. Choose another hour."
        )
    return _near(at, now)


def _near(at: datetime, now: datetime) -> datetime:
    """What a person chose: a year that was mistyped is told."""
    moment = checked(at, now)
    if moment > now + FURTHEST:
        raise Unschedulable("Choose a day within a year.")
    return moment


def checked(at: datetime, now: datetime) -> datetime:
    """``at`` in UTC, where it is still to come. Raises :class:`Unschedulable`."""
    try:
        moment = at.astimezone(UTC)
    except OverflowError:
        raise Unschedulable("Choose a day within a year.") from None
    if moment <= now:
        raise Unschedulable(PASSED)
    return moment


def written(at: datetime, zone_name: str) -> str:
    """``at`` as the clocks of a zone show it: `2026-12-01T09:00`."""
    return f"{at.astimezone(zone(zone_name)):%Y-%m-%dT%H:%M}"


def late_after(due_at: datetime) -> datetime:
    """From when an email that is due then does not leave unasked."""
    return due_at + LATE


def is_late(late: datetime | None, now: datetime) -> bool:
    """Whether it has become too late to leave unasked; never of what was sent without an hour."""
    return late is not None and now > late


def moved(due_at: datetime) -> Combinable:
    """The column `late_after` of rows whose due time was moved by us, with a reason that was told."""
    late = Value(late_after(due_at), output_field=DateTimeField())
    return Case(When(late_after__isnull=False, then=late), default=F("late_after"))


__all__ = [
    "FURTHEST",
    "LATE",
    "UNKNOWN_ZONE",
    "Unschedulable",
    "checked",
    "hour",
    "is_late",
    "late_after",
    "listed",
    "moved",
    "written",
    "zone",
    "zones",
]
