"""The last try to send of a connection that has no accepted one: a try that proved nothing was still a try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

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


def last_try(connection: Connection) -> Try | None:
    """The last try to send since the consent, as the ledger tells it; None where there was none."""
    entries = LedgerEntry.objects.filter(
        connection=connection, kind=LedgerKind.SEND, at__gte=connection.consented_at
    )
    newest = entries.exclude(result__startswith="settled_").order_by("-at", "-id").first()
    if newest is None:
        return None
    # What was said of it later belongs to it.
    later = entries.filter(ref=newest.ref, result__startswith="settled_", at__gte=newest.at)
    settled = later.order_by("-at", "-id").values_list("result", flat=True).first()
    return Try(newest.at, _SETTLED[settled] if settled in _SETTLED else _told(newest))


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
