"""What comes before some sends and sends nothing: a draft at the provider, a contact (design §5).

Its attempt stands as *preparing* until what was prepared is committed, and before that nothing can have left: whoever
finds it abandoned may say that it was not sent. From that commit on the fence counts anew.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections

from truesend import clock
from truesend.providers.contract import Message, Provider, ProviderError
from truesend.providers.errors import Outcome, SendResult
from truesend.providers.http import total_timeout
from truesend.sending import outcomes, rows
from truesend.sending.reading import Due


@dataclass(frozen=True)
class Prepared:
    """The reference that is committed, and until when bytes may leave (`clock.steady` seconds)."""

    reference: str
    until: float


# It was paused, or the database was away, for too long: certainly nothing was sent.
_TOO_LATE = SendResult(Outcome.NOT_SENT, "fence_passed", "")


def seconds_for(message: Message) -> float:
    """The most that handing over the files beside a message may take: each is read, sent, and perhaps asked about."""
    return sum(2 * total_timeout(file.size) for file in message.apart)


def prepare(
    adapter: Provider, attempt: UUID, due: Due, message: Message, access: str, *, until: float
) -> Prepared | SendResult | None:
    """Prepare and commit; the result where nothing will be sent; None where somebody has judged the attempt.

    ``until`` it has to begin (`clock.steady` seconds).
    """
    if clock.steady() > until:
        return _TOO_LATE
    earlier = due.reference if due.number > 1 else None
    try:
        reference = adapter.prepare(message, access, earlier=earlier)
    except ProviderError as error:
        return SendResult(
            Outcome.NOT_SENT,
            error.cause,
            error.words,
            retry_at=error.retry_at,
            client_wide=error.client_wide,
        )
    until = clock.steady() + outcomes.FENCE_SECONDS
    over = clock.real_now() + timedelta(seconds=outcomes.FENCE_SECONDS + total_timeout(message.size))
    committed = _commit(attempt, reference, over, until)
    if committed:
        return Prepared(reference, until)
    if committed is None:
        return _TOO_LATE
    # Its email has gone on without this try, and maybe has been cleared up after: nobody else knows of this.
    with suppress(ProviderError):
        adapter.clear(access, [reference])
    return None


def _commit(attempt: UUID, reference: str, over: datetime, until: float) -> bool | None:
    """Whether it is committed, through a database that is away for a moment; None where that lasts too long."""
    while True:
        try:
            return rows.prepared(attempt, reference, over=over)
        except (OperationalError, InterfaceError):
            if clock.steady() > until:
                return None
            time.sleep(0.5)
            close_old_connections()
