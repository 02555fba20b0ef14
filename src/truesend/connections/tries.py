"""The last try to send of a connection that has no accepted one: a try that proved nothing was still a try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import F

from truesend.connections.causes import Action, cause
from truesend.connections.models import Connection, LedgerEntry, LedgerKind

UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Try:
    """When it was, and what came of it as half a sentence."""

    at: datetime
    told: str

    def when(self, now: datetime) -> str:
        """“at 07:14 UTC”, with the day where it is another one than ``now``."""
        at, today = self.at.astimezone(UTC), now.astimezone(UTC).date()
        day = "" if at.date() == today else f"on {at.day} {at:%b} "
        return f"{day}at {at:%H:%M} UTC"


def last_tries(connections: Iterable[Connection]) -> dict[UUID, Try]:
    """The last try to send of each since its consent, as the ledger tells it, by connection; two queries for all.

    Meant for those that have no accepted send: the entries of one that has may be many.
    """
    ids = [one.pk for one in connections]
    if not ids:
        return {}
    entries = LedgerEntry.objects.filter(
        connection__in=ids, kind=LedgerKind.SEND, at__gte=F("connection__consented_at")
    ).order_by("connection", "-at", "-id")
    settled = {"result__startswith": "settled_"}
    newest = {one.connection_id: one for one in entries.exclude(**settled).distinct("connection")}
    told = {pk: _told(one) for pk, one in newest.items()}
    # What was said of it later belongs to it; the newest word counts, so it comes last.
    for later in entries.filter(connection__in=newest, **settled).reverse():
        own = newest[later.connection_id]
        if later.ref == own.ref and later.at >= own.at:
            told[later.connection_id] = _SETTLED.get(later.result, _told(own))
    return {pk: Try(one.at, told[pk]) for pk, one in newest.items()}


_SETTLED = {
    "settled_sent": "and somebody found it in Sent",
    "settled_not_sent": "and nothing was sent",
}


def _told(entry: LedgerEntry) -> str:
    if entry.outcome == UNKNOWN:
        return "outcome unknown"
    # A refusal in words we do not know is one of the email; it is not tried again.
    if cause(entry.result).action is Action.EDIT or entry.result == "provider_refused":
        return "this email was refused"
    return "nothing was sent" if entry.outcome else "not accepted"
