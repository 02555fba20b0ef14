"""Reading a Gmail mailbox's Sent: where its history stands, and whether deliveries with our mark are in it.

Two strong readings: the history since a position, and the listing of the label SENT ("live": both show a sent message
at once, where the search index was minutes behind). Either alone proves absence when it was read to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from truesend.providers.contract import Party, ProviderError, SentCopy, Traces
from truesend.providers.google import gmail
from truesend.providers.google.calls import ask

_T = TypeVar("_T")

# Our clock and Google's differ a little.
MARGIN = timedelta(minutes=1)
# A look must fit into one minute of the mailbox's quota (6,000 units, quota page of 2026-05-01; a message costs 20):
# one that is throttled half way starts over, and would never end.
MOST_MESSAGES = 250
MOST_PAGES = 20


def position(access_token: str, base: str) -> str:
    """The number of the mailbox's newest change (1 unit)."""
    number = gmail.read_position(ask(gmail.profile_request(access_token, base)))
    if number is None:
        raise ProviderError("provider_garbage", "A profile without the number of its newest change.")
    return number


def sent_copy(access_token: str, message_id: str, base: str) -> SentCopy:
    """A sent message as it stands in the mailbox (20 units)."""
    message = gmail.read_message(ask(gmail.message_request(access_token, message_id, base)))
    if message is None:
        raise ProviderError("provider_garbage", "A message that cannot be read.")
    return message.copy


def senders(access_token: str, base: str) -> list[Party]:
    """The addresses that the mailbox may send from."""
    found = gmail.read_senders(ask(gmail.senders_request(access_token, base)))
    if found is None:
        raise ProviderError("provider_garbage", "A list of addresses that cannot be read.")
    return found


def traces(
    access_token: str,
    marks: Collection[str],
    *,
    since: datetime,
    start: str,
    base: str,
    known: frozenset[str] = frozenset(),
) -> Traces:
    """Look for ``marks`` in what came into Sent since the position ``start``, or else since the time ``since``.

    The history is read first; where it is told no more (404), or ``start`` is empty, the listing back to ``since``
    counts alone. With the history read, the listing's newest page is a second witness: what it shows is there. A
    message that is gone when it is to be read leaves the look incomplete, for it may have been ours. What is ``known``
    to bear another mark is not read: between the copies of a mailing one that is missing is found absent all the same.
    """
    if not marks:
        return Traces({}, complete=True)
    look = _Look(access_token, base, frozenset(marks), since - MARGIN, known)
    try:
        by_history = look.bounded(lambda: look.history(start)) if start.isdecimal() else False
        look.bounded(lambda: look.listing(MOST_PAGES if by_history is False else 1))
    except _AllFound:
        return Traces(look.found, complete=True)
    return Traces(look.found, complete=not look.missing, words=" ".join(dict.fromkeys(look.missing)))


class _AllFound(Exception):
    """Nothing more to look for."""


class _TooMuch(Exception):
    """More than one look can read."""


@dataclass
class _Look:
    """One look through a mailbox: what was found, what was read, and what is missing to a full reading."""

    access_token: str
    base: str
    marks: frozenset[str]
    since: datetime
    known: frozenset[str]
    found: dict[str, SentCopy] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    read: dict[str, gmail.Message | None] = field(default_factory=dict)

    def bounded(self, read: Callable[[], _T]) -> _T | None:
        """What ``read`` says; None where it came to a bound, which is noted."""
        try:
            return read()
        except _TooMuch as bound:
            self.missing.append(str(bound))
            return None

    def history(self, start: str) -> bool:
        """Everything sent after ``start``; False where the history does not go back so far."""
        # Asked first: the history that is read afterwards must reach at least here.
        reached = int(position(self.access_token, self.base))
        newest: int | None = None
        try:
            for page in self._changes(start, ("messageAdded", "labelAdded"), "SENT"):
                newest = page.newest
                for message_id in page.sent:
                    self._message(message_id)
            deleted = [one for page in self._changes(start, ("messageDeleted",), "") for one in page.deleted]
        except ProviderError as error:
            if error.cause == "not_found":
                return False
            raise
        for message_id in deleted:
            made = gmail.made_at(message_id)
            unseen = message_id not in self.read and message_id not in self.known
            if unseen and (made is None or made >= self.since):
                self.missing.append(_GONE)
        if newest is None or newest < reached:
            self.missing.append("The mailbox's history did not yet tell its newest changes.")
        return True

    def _changes(self, start: str, kinds: tuple[str, ...], label: str) -> Iterator[gmail.HistoryPage]:
        token = ""
        for _ in range(MOST_PAGES):
            body = ask(gmail.history_request(self.access_token, start, kinds, label, token, self.base))
            page = gmail.read_history(body)
            if page is None:
                raise ProviderError("provider_garbage", "A history that cannot be read.")
            yield page
            token = page.following
            if not token:
                return
        raise _TooMuch("The mailbox changed more since than one look can read.")

    def listing(self, most_pages: int) -> None:
        """Sent, newest first, back to ``since`` or for so many pages."""
        token = ""
        for _ in range(most_pages):
            body = ask(gmail.sent_listing_request(self.access_token, token, self.base))
            page = gmail.read_listing(body)
            if page is None:
                raise ProviderError("provider_garbage", "A list of messages that cannot be read.")
            ids, token = page
            for message_id in ids:
                message = self._message(message_id)
                if message is not None and message.at is not None and message.at < self.since:
                    return
            if not token:
                return
        if most_pages > 1:
            raise _TooMuch("More was sent since than one look can read.")

    def _message(self, message_id: str) -> gmail.Message | None:
        """One message, read once; None where it is gone or known. What it is to us is noted."""
        if message_id in self.known:
            return None
        if message_id in self.read:
            return self.read[message_id]
        if len(self.read) >= MOST_MESSAGES:
            raise _TooMuch("More was sent since than one look can read.")
        try:
            body = ask(gmail.message_request(self.access_token, message_id, self.base))
        except ProviderError as error:
            if error.cause != "not_found":
                raise
            self.read[message_id] = None
            self.missing.append(_GONE)
            return None
        message = gmail.read_message(body)
        if message is None or message.copy.message_id != message_id:
            raise ProviderError("provider_garbage", "A message that cannot be read.")
        self.read[message_id] = message
        if message.mark in self.marks:
            self.found.setdefault(message.mark, message.copy)
            if len(self.found) == len(self.marks):
                raise _AllFound
        elif not message.is_readable:
            self.missing.append("A message in Sent did not show its headers.")
        return message


_GONE = "A message that was sent since then was deleted before it could be read; it may have been this one."
