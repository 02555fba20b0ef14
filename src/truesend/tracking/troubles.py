"""What did not arrive, or not yet: the bounces and delays of emails, as far as they still hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from truesend import clock
from truesend.tracking.models import Signal

# A mail system gives up within days and says so; a delay of which nothing more was heard is none any more.
_DELAYED_FOR = timedelta(days=4)
TOLD = """
SELECT s.email, s.delivery, s.recipient, s.kind, s.reason, s.rule, s.at, t.level >= 4 AND t.best_at > s.at AS seen
  FROM tracking_signal AS s LEFT JOIN tracking_copytally AS t ON t.delivery = s.delivery
 WHERE s.email = ANY({emails}) AND s.kind IN ('bounce', 'delay') AND NOT s.struck
 ORDER BY s.at, s.id
"""
"""What :func:`judged` reads, of ``emails``."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The last word of one recipient of one copy; ``recipient`` is None where nobody knows which of several.

    ``hard``: nothing sent there will arrive.
    """

    delivery: UUID
    recipient: str | None
    kind: str
    reason: str
    hard: bool
    at: datetime

    @property
    def bounced(self) -> bool:
        """Whether it was given up."""
        return self.kind == Signal.Kind.BOUNCE


@dataclass(frozen=True, slots=True)
class Trouble:
    """Everything of an email that came back or is late, bounces first, then the newest."""

    failures: tuple[Failure, ...]

    @property
    def bounced(self) -> int:
        """How many recipients it did not reach."""
        return sum(one.bounced for one in self.failures)

    @property
    def first(self) -> Failure:
        """The one to tell."""
        return self.failures[0]

    @property
    def word(self) -> str:
        """For the status column of a list."""
        return "Bounced" if self.bounced else "Delayed"

    def sentence(self, people: int) -> str:
        """What happened, of so many ``people`` in all."""
        number = self.bounced or len(self.failures)
        if people > 1 and (number > 1 or not self.first.recipient):
            return f"{number:,} of {people:,} {self.word.lower()}. {self.first.reason}"
        return self.first.reason


def troubles_of(emails: Iterable[UUID]) -> dict[UUID, Trouble]:
    """What did not arrive of each email of which anything did not, in one query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(TOLD.format(emails="%s"), [list(emails)])
        return judged(cursor.fetchall())


def judged(rows: Iterable[Sequence[Any]]) -> dict[UUID, Trouble]:
    """The same of rows of :data:`TOLD`, the oldest first."""
    newest: dict[UUID, dict[tuple[UUID, str | None], Failure]] = defaultdict(dict)
    late = clock.now() - _DELAYED_FOR
    for email, delivery, recipient, kind, reason, rule, at, seen in rows:
        known, key = newest[email], (delivery, recipient)
        if kind == Signal.Kind.DELAY and (seen or at < late or (key in known and known[key].bounced)):
            continue
        known[key] = Failure(delivery, recipient, kind, reason, rule == "bounce_hard", at)
    return {
        email: Trouble(tuple(sorted(found.values(), key=lambda one: (one.bounced, one.at), reverse=True)))
        for email, found in newest.items()
        if found
    }
