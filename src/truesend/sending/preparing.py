"""What comes before some sends and sends nothing: a draft at the provider, a contact (design §5).

Its attempt stands as *preparing* until what was prepared is committed, and before that nothing can have left: whoever
finds it abandoned may say that it was not sent. From that commit on the fence counts anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

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


def prepare(
    adapter: Provider, attempt: UUID, due: Due, message: Message, access: str
) -> Prepared | SendResult | None:
    """Prepare and commit; the result where the provider would not; None where somebody has judged the attempt."""
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
    return Prepared(reference, until) if rows.prepared(attempt, reference, over=over) else None
