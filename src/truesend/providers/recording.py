"""The part of the contract that notes, with a contact of a CRM, a mail that was sent from elsewhere; few have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from truesend.providers.errors import SendResult


@dataclass(frozen=True)
class CrmContact:
    """A contact of a CRM: its id there and what it is called; the name may be empty."""

    id: str
    name: str


@dataclass(frozen=True)
class SentElsewhere:
    """A mail as it is noted with the one ``contact`` that got it at ``to``.

    ``mark`` is ours and never changes: it finds the note again. ``cc`` are the people that everybody could see there;
    nobody's hidden copy is named. ``origin`` is the key of the provider that carried it, ``account`` the mailbox.
    """

    mark: str
    contact: str
    to: str
    cc: tuple[str, ...]
    sender: str
    account: str
    origin: str
    sent_at: datetime
    subject: str
    html: str = field(repr=False)
    text: str = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of its text."""
        return len(self.html.encode()) + len(self.text.encode())


class RecordingPart:
    """Noting mail of other accounts with contacts. Every method needs `contacts` and `read`."""

    # Whether its contacts can be told of mail that was sent from elsewhere.
    records_mail: bool = False

    def find_contact(self, access_token: str, address: str) -> CrmContact | None:
        """The contact with this address; None where there is none, and none is made. Raises ProviderError."""
        raise NotImplementedError("it has no contacts")

    def record_mail(self, access_token: str, mail: SentElsewhere, *, fence: Callable[[], None]) -> SendResult:
        """Note it, once: ``message_id`` of an accepted one is the note's id. Nothing is sent by it.

        ``fence`` is asked before the first byte and may refuse by raising. Raises nothing else.
        """
        raise NotImplementedError("it has no contacts")

    def find_record(self, access_token: str, mark: str, contact: str, *, since: datetime) -> str:
        """The id of the note with ``mark``, made ``since`` then; empty where there is none. Raises ProviderError."""
        raise NotImplementedError("it has no contacts")
