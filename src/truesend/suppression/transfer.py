"""The list as a CSV: out, row by row as it is read, and in, with every row that cannot be used named by its line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q

from truesend import clock, spreadsheets
from truesend.sending import people_file
from truesend.sending.people_file import BadRow, Person
from truesend.suppression.listing import New, suppress_all
from truesend.suppression.models import Reason, Suppression

COLUMNS = ("email", "reason", "date", "source", "by")
MOST_BYTES, MOST_ROWS = 20 * 1024 * 1024, 200_000
AT_ONCE = 2_000
"""Rows of one statement."""

# What other programs call it. A reason that is none of these is kept as words, and counts as imported.
_REASONS = {
    **{value: value for value in Reason.values},
    **dict.fromkeys(
        ("bounce", "bounced", "hard bounce", "hardbounce", "invalid", "cleaned"), Reason.HARD_BOUNCE
    ),
    **dict.fromkeys(
        (
            "unsubscribe",
            "unsubscribed",
            "opt-out",
            "opt out",
            "optout",
            "opted out",
            "complaint",
            "spam",
            "complained",
        ),
        Reason.ASKED,
    ),
    **dict.fromkeys(("manual", "by hand", "blocked", "blocklisted", "blacklisted"), Reason.BY_HAND),
}
_REASON_TITLES = ("reason", "status", "state", "type")
_DATE_TITLES = (
    "date",
    "at",
    "since",
    "unsubscribed_at",
    "unsubscribed_on",
    "created_at",
    "timestamp",
    "added_at",
)


@dataclass(frozen=True)
class Imported:
    """What came of a file: addresses that are new on the list, that were there, and rows that cannot be used."""

    new: int
    known: int
    bad: tuple[BadRow, ...]


def take_in(organization_id: UUID, content: bytes, *, name: str, by: str) -> Imported:
    """Put everybody in a CSV on the list; twice is fine. Raises :class:`~truesend.sending.people_file.Unreadable`.

    Besides the addresses it may have columns for a reason, a date and where it comes from, as our own export does.
    """
    # An address may be there for several reasons, and none of them covers another.
    found = people_file.read(content, most_bytes=MOST_BYTES, most_rows=MOST_ROWS, apart=_reason)
    now, source = clock.now(), f"File {name}" if name else "A file"
    rows = [_new(person, source, now) for person in found.people]
    new = 0
    for start in range(0, len(rows), AT_ONCE):
        by_reason: dict[str, list[New]] = defaultdict(list)
        for row in rows[start : start + AT_ONCE]:
            by_reason[row.reason].append(row)
        for alike in by_reason.values():
            new += len(suppress_all(organization_id, alike, by=by))
    return Imported(new, len(rows) - new, found.bad)


def _new(person: Person, source: str, now: datetime) -> New:
    values = person.values
    given, reason = _first(values, _REASON_TITLES), _reason(person)
    words = values.get("source", "").removeprefix("'")
    if given and reason == Reason.IMPORTED and given.lower() != Reason.IMPORTED:
        words = words or f"{source}: {given}"
    return New(person.address, reason, words or source, _date(_first(values, _DATE_TITLES), now))


def _reason(person: Person) -> str:
    given = _first(person.values, _REASON_TITLES).lower()
    return _REASONS.get(given.replace("_", " "), _REASONS.get(given, Reason.IMPORTED))


def _first(values: Mapping[str, str], titles: tuple[str, ...]) -> str:
    return next((values[one].strip() for one in titles if values.get(one)), "")


def _date(text: str, now: datetime) -> datetime:
    """A date as programs write it (ISO 8601); now where there is none, or one that is still to come."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return now
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return at if datetime(1990, 1, 1, tzinfo=UTC) < at < now else now


def give_out(organization_id: UUID) -> Iterator[str]:
    """The list as the lines of a CSV, newest first, a stretch at a time; without those who were forgotten."""
    yield spreadsheets.line(COLUMNS)
    listed = Suppression.objects.filter(organization=organization_id, allowed_at=None)
    rows = listed.exclude(address="").order_by("-at", "-id")
    following = rows
    while found := list(following[:AT_ONCE]):
        yield "".join(
            spreadsheets.line(
                (_address(one.address), one.reason, one.at.isoformat(timespec="seconds"), one.source, one.by)
            )
            for one in found
        )
        last = found[-1]
        following = rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))


def _address(address: str) -> str:
    """In angle brackets where a spreadsheet would compute it; every program reads that as the address."""
    return f"<{address}>" if address.startswith(spreadsheets.FORMULA) else address
