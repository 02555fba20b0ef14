"""What comes before a send with reading: a draft whose id is known, and which can be looked at afterwards.

Sending moves it from Drafts to Sent Items under the same immutable id and with the same Message-ID (seen:
msgraph-sdk-dotnet#2947), so that a send nobody answered for can be looked up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from truesend.providers.contract import Message, SentCopy
from truesend.providers.errors import ProviderError
from truesend.providers.microsoft import calls, graph, uploads

# As long as a reference may be.
_LONGEST = 2000
# Drafts whose headers the list does not show are read whole, so many of them.
MOST_READ = 10


@dataclass(frozen=True)
class Draft:
    """A reference, as it is kept with the attempt. ``sent``: it turned out to be sent when it was looked at again."""

    id: str
    conversation: str = ""
    message: str = ""
    sent: bool = False

    @property
    def copy(self) -> SentCopy:
        """Its ids; they stay when it is sent."""
        return SentCopy(self.id, self.conversation, self.message)

    def write(self) -> str:
        """Compact JSON of at most 2,000 characters; what can be done without goes first."""
        for kept in (self, replace(self, message=""), replace(self, message="", conversation="")):
            told = {name: value for name, value in asdict(kept).items() if value}
            text = json.dumps(told, separators=(",", ":"))
            if len(text) <= _LONGEST:
                break
        return text


def read(reference: str) -> Draft | None:
    """The draft a reference tells of; None where it is empty or not one of ours."""
    try:
        told = json.loads(reference)
        found = Draft(**told)
    except (ValueError, TypeError, RecursionError):
        return None
    sound = graph.is_id(found.id) and isinstance(found.conversation, str) and isinstance(found.message, str)
    return found if sound else None


def prepare(message: Message, access_token: str, *, earlier: str | None, base: str) -> Draft:
    """A draft to be sent, with all its files, once what an earlier try has left behind is cleared away.

    Where that was sent after all (a person can send a draft too), it is what comes back, and nothing is made.
    """
    if earlier is not None:
        left = read(earlier)
        if left is None:
            clear_strays(message.mark, access_token, base)
        elif (found := find(left, access_token, base)) is not None:
            if not found.is_draft:
                return replace(_of(found.copy), sent=True)
            _delete(found.copy.message_id, access_token, base)
    made = graph.read_message(calls.ask(graph.draft_request(message.raw, access_token, base), status=201))
    if made is None or not made.is_draft:
        raise calls.garbage("a new draft")
    try:
        uploads.attach(made.copy.message_id, message.apart, access_token, base)
    except Exception:
        # Half of an email must not lie in somebody's drafts until the next try looks for it.
        with suppress(ProviderError):
            _delete(made.copy.message_id, access_token, base)
        raise
    return _of(made.copy)


def find(draft: Draft, access_token: str, base: str) -> graph.Item | None:
    """Where the draft's message is now, sent or not; None where it is in transit or deleted.

    For a while after a send the id may not be found (Graph, "Get immutable identifiers"); its Message-ID may be.
    """
    try:
        found = graph.read_message(calls.ask(graph.message_request(draft.id, access_token, base)))
    except ProviderError as error:
        if error.cause != "not_found":
            raise
        return _by_message_id(draft.message, access_token, base)
    if found is None:
        raise calls.garbage("a message")
    return found


def _by_message_id(internet_message_id: str, access_token: str, base: str) -> graph.Item | None:
    if not internet_message_id:
        return None
    listed = graph.read_list(calls.ask(graph.by_internet_id_request(internet_message_id, access_token, base)))
    if listed is None:
        raise calls.garbage("a list of messages")
    # The sent one, where there is one: it decides.
    return min(listed[0], key=lambda item: item.is_draft, default=None)


def clear(references: Iterable[str], access_token: str, base: str) -> None:
    """Delete what was prepared as ``references`` and is still a draft."""
    for reference in references:
        left = read(reference)
        found = find(left, access_token, base) if left is not None else None
        if found is not None and found.is_draft:
            _delete(found.copy.message_id, access_token, base)


def clear_strays(
    mark: str, access_token: str, base: str, *, since: datetime | None = None, sent: str = ""
) -> None:
    """Delete drafts with our mark that were made and whose answer was lost: of the newest, or the first ``since`` then.

    ``sent`` is the reference of one that was: a draft while it is in transit.
    """
    listed = graph.read_list(calls.ask(graph.drafts_request(access_token, base, since)))
    if listed is None:
        raise calls.garbage("a list of drafts")
    kept = read(sent)
    for message_id in _marked(listed[0], mark, access_token, base):
        if kept is None or message_id != kept.id:
            _delete(message_id, access_token, base)


def _marked(items: Iterable[graph.Item], mark: str, access_token: str, base: str) -> list[str]:
    marked: list[str] = []
    read_whole = 0
    for item in items:
        shown = item.mark
        if shown is None and read_whole < MOST_READ:
            read_whole += 1
            shown = mark_of(item, access_token, base)
        if shown == mark and item.is_draft:
            marked.append(item.copy.message_id)
    return marked


def mark_of(item: graph.Item, access_token: str, base: str) -> str:
    """Our mark out of the whole message; empty where it has none, or is gone."""
    try:
        whole = calls.content(graph.content_request(item.copy.message_id, access_token, base))
    except ProviderError as error:
        if error.cause != "not_found":
            raise
        return ""
    mark = graph.mark_in(whole)
    if mark is None:
        raise calls.garbage("a message")
    return mark


def _delete(message_id: str, access_token: str, base: str) -> None:
    try:
        calls.do(graph.delete_request(message_id, access_token, base))
    except ProviderError as error:
        if error.cause != "not_found":
            raise


def _of(copy: SentCopy) -> Draft:
    return Draft(copy.message_id, copy.thread_id, copy.internet_message_id)
