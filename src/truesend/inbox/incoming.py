"""What a mail that came in turns out to be: the answer of :func:`truesend.inbox.reading.read`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime
from enum import StrEnum

from truesend.inbox.causes import CAUSES, About


class Kind(StrEnum):
    """What the mail is, as ``truesend explain bounce`` names it."""

    BOUNCE = "bounce"
    """A mail was given up for at least one recipient."""
    DELAY = "delay"
    """It has not arrived yet and is still being tried."""
    AUTO_REPLY = "auto_reply"
    """A program of the recipient's answered, without a person."""
    OTHER = "other"
    """Everything else: what people write, receipts, complaints, newsletters."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient that a bounce or a delay speaks of."""

    address: str
    """As the report spells it; ``""`` where it names nobody at all."""
    status: str
    """Enhanced code (RFC 3463) such as ``"5.1.1"``, or ``""``."""
    code: str
    """SMTP reply code such as ``"550"``, or ``""``."""
    hard: bool
    """Nothing sent to this address will arrive. Always false in a delay."""
    reason: str
    """A code of :data:`truesend.inbox.causes.CAUSES`."""
    words: str = ""
    """What the mail system said, shortened; foreign text."""

    @property
    def sentence(self) -> str:
        """For a member."""
        return CAUSES[self.reason].sentence

    @property
    def about(self) -> About:
        return CAUSES[self.reason].about

    @property
    def stops(self) -> bool:
        """The sender's own provider takes no more mail from this account for now."""
        return CAUSES[self.reason].stops


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail as it was read. Every text is foreign: escape it before it is shown."""

    kind: Kind
    about: About = About.RECIPIENT
    """Whom a bounce or delay blames; ``SENDER`` only where every recipient's reason does."""
    recipients: tuple[Recipient, ...] = ()
    """Whom a bounce or delay is about, in its order; empty otherwise."""
    message_id: str = ""
    """Its own Message-ID, without angle brackets, like all ids here."""
    from_address: str = ""
    from_name: str = ""
    to_addresses: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    """Its ``Date``, in UTC; ``None`` where there is none to be read."""
    utc_offset: int | None = None
    """Minutes east of UTC on its writer's clock; ``None`` where it does not tell, and of what no person wrote."""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    """Of the ``References`` header, oldest first."""
    original_message_ids: tuple[str, ...] = ()
    """Message-IDs of the mail that a bounce or delay sends back or cites."""
    marks: tuple[str, ...] = ()
    """Values of ``X-Truesend-Delivery``, or of our comment, in the mail that a bounce or delay sends back."""
    return_date: Day | None = None
    """Of an automatic reply: when its writer is back, or the last day of the absence where only that is told."""

    @property
    def refers_to(self) -> tuple[str, ...]:
        """Every Message-ID it may be an answer to, the surest first, each once."""
        told = (*self.original_message_ids, *self.in_reply_to, *reversed(self.references))
        return tuple(dict.fromkeys(told))
