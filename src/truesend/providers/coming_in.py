"""The part of the contract that reads what comes into a mailbox; a provider may have none of it."""

from __future__ import annotations

from datetime import datetime

from truesend.providers.shapes import InboxPage


class InboxPart:
    """What came into a mailbox. Every method raises :class:`ProviderError` with a cause."""

    # Whether what comes into its mailboxes can be read, and the calls that a look costs where nothing is new.
    has_inbox: bool = False
    inbox_calls: int = 1

    def inbox(self, access_token: str, cursor: str, *, since: datetime) -> InboxPage:
        """What came into the mailbox since ``cursor``, a page of it (needs the reading scope).

        An empty cursor, or one that the provider no longer knows, begins with what came ``since`` that time. Raises
        :class:`ProviderError`; then the cursor stays good.
        """
        raise NotImplementedError("it has no inbox")

    def inbox_mail(self, access_token: str, message_id: str) -> bytes:
        """One mail of the inbox, whole. Raises :class:`ProviderError`, `not_found` for one that is gone."""
        raise NotImplementedError("it has no inbox")
