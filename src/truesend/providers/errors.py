"""What can come of a provider call, in types that cannot be confused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What one try that may send came to."""

    ACCEPTED = "ACCEPTED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"


class ProviderError(Exception):
    """A call failed for a known cause. ``words`` are the provider's own, without secrets.

    ``grant_is_dead`` means that only a new consent helps. ``retry_at`` is the provider's own hint, ``client_wide``
    tells a limit of this installation's whole client from one of a mailbox.
    """

    def __init__(
        self,
        cause: str,
        words: str,
        *,
        grant_is_dead: bool = False,
        retry_at: datetime | None = None,
        client_wide: bool = False,
    ) -> None:
        super().__init__(f"{cause}: {words}")
        self.cause = cause
        self.words = words
        self.grant_is_dead = grant_is_dead
        self.retry_at = retry_at
        self.client_wide = client_wide


@dataclass(frozen=True)
class Refusal:
    """How an error answer is to be read: its cause, and when the provider says to come back.

    ``proves_not_sent`` is False where the answer leaves open whether something left. ``client_wide`` tells a limit
    of this installation's whole client from one of a mailbox.
    """

    cause: str
    words: str
    proves_not_sent: bool
    retry_at: datetime | None = None
    client_wide: bool = False


@dataclass(frozen=True)
class SendResult:
    """The outcome of one try, with the provider's ids when accepted."""

    outcome: Outcome
    cause: str = ""
    words: str = ""
    message_id: str = ""
    thread_id: str = ""
    milliseconds: int = 0
    retry_at: datetime | None = None
    client_wide: bool = False
