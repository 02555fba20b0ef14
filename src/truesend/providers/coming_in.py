"""The part of the contract that reads what comes into a mailbox; a provider may have none of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from truesend.providers.shapes import AddressState, InboxPage, PushCall, PushHold, PushNews


class Forged(Exception):
    """A call to our webhook that is not the provider's."""


class InboxPart:
    """What came into a mailbox. Every method raises :class:`ProviderError` with a cause."""

    # Whether what comes into its mailboxes can be read, and the calls that a look costs where nothing is new.
    has_inbox: bool = False
    inbox_calls: int = 1
    # It takes reports itself, and tells what it knows of an address instead.
    tells_states: bool = False

    # It calls us when something is new. A hint, and no more: what is new is read by the next look.
    pushes: bool = False
    # One address takes the pushes of all mailboxes, and each is signed; else every mailbox has an address of its own.
    pushes_signed: bool = False

    def push_unset(self) -> str:
        """What an operator has to set up before it pushes, as a sentence; empty where nothing is missing."""
        return ""

    def hold_push(self, access_token: str, *, url: str, secret: str, ref: str) -> PushHold:
        """Let it tell ``url`` of new mail, or go on with what is held as ``ref``. Raises :class:`ProviderError`.

        `not_found` for a ``ref`` that has ended: then nothing is held any more.
        """
        raise NotImplementedError("it tells nobody of new mail")

    def read_push(self, call: PushCall) -> PushNews:
        """What a call to our webhook tells. Raises :class:`Forged`; ProviderError where that could not be found out."""
        raise Forged

    @property
    def tells_of_mail(self) -> bool:
        """Whether there is any way to learn what became of a mail."""
        return self.has_inbox or self.tells_states

    def inbox(self, access_token: str, cursor: str, *, since: datetime) -> InboxPage:
        """What came into the mailbox since ``cursor``, a page of it (needs the reading scope).

        An empty cursor, or one that the provider no longer knows, begins with what came ``since`` that time. Raises
        :class:`ProviderError`; then the cursor stays good.
        """
        raise NotImplementedError("it has no inbox")

    def inbox_mail(self, access_token: str, message_id: str) -> bytes:
        """One mail of the inbox, whole. Raises :class:`ProviderError`, `not_found` for one that is gone."""
        raise NotImplementedError("it has no inbox")

    def address_states(self, access_token: str, addresses: Collection[str]) -> list[AddressState]:
        """Of these addresses those that mail does not reach, or that want none, where it :attr:`tells_states`."""
        raise NotImplementedError("it tells nothing of addresses")
