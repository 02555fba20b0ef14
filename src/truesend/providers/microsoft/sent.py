"""Looking for what was sent: by the draft it was, else through Sent Items by our mark.

A draft that is still one was not sent. Sent Items prove nothing by not showing a message: it may be in transit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from truesend.providers.contract import SentCopy, Traces
from truesend.providers.microsoft import calls, drafts, graph

# Bounds of one look; a mailbox may be asked 10,000 times in ten minutes (Graph, "Outlook service limits").
MOST_PAGES = 10
MOST_READ = 25

_NO_PROOF = "Sent Items do not show it, which does not prove that it was not sent."
_GONE = "Its draft is no longer there, nor is it sent: it is on its way, or was deleted."
_TOO_MUCH = "More was sent since than one look can read."


def sent_copy(access_token: str, message_id: str, base: str) -> SentCopy:
    """A message as it stands in the mailbox; in transit it is still a draft, with the ids it keeps."""
    found = graph.read_message(calls.ask(graph.message_request(message_id, access_token, base)))
    if found is None:
        raise calls.garbage("a message")
    return found.copy


def traces(
    access_token: str,
    marks: Collection[str],
    *,
    since: datetime,
    references: Mapping[str, str],
    base: str,
) -> Traces:
    """Look for ``marks``: one with a reference by its draft, every other in what was sent ``since`` then."""
    look = _Look(access_token, base, set(marks))
    for mark in marks:
        draft = drafts.read(references.get(mark, ""))
        if draft is not None:
            look.draft(mark, draft)
    if look.missing:
        look.sent_items(since)
    words = " ".join((*dict.fromkeys(look.why), _NO_PROOF)) if look.missing else ""
    return Traces(look.found, complete=not look.missing, words=words, absent=frozenset(look.absent))


@dataclass
class _Look:
    """One look through a mailbox: what was found, what is proved absent, and what is neither."""

    access_token: str
    base: str
    missing: set[str]
    found: dict[str, SentCopy] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    why: list[str] = field(default_factory=list)
    read_whole: int = 0

    def draft(self, mark: str, draft: drafts.Draft) -> None:
        """Whether the draft is sent, still a draft, or out of sight."""
        item = drafts.find(draft, self.access_token, self.base)
        if item is None:
            self.why.append(_GONE)
            return
        if item.is_draft:
            self.absent.add(mark)
        else:
            self.found[mark] = item.copy
        self.missing.discard(mark)

    def sent_items(self, since: datetime) -> None:
        """What was sent, newest first, until all are found."""
        request = graph.sent_request(since, self.access_token, self.base)
        for _ in range(MOST_PAGES):
            page = graph.read_list(calls.ask(request))
            if page is None:
                raise calls.garbage("a list of messages")
            items, link = page
            for item in items:
                self._item(item)
                if not self.missing:
                    return
            if not link:
                return
            following = graph.following_request(link, self.access_token, self.base)
            if following is None:
                raise calls.garbage("the address of a page")
            request = following
        self.why.append(_TOO_MUCH)

    def _item(self, item: graph.Item) -> None:
        if item.is_draft or item.copy in self.found.values():
            return
        shown = item.mark
        if shown is None:
            if self.read_whole == MOST_READ:
                self.why.append(_TOO_MUCH)
                return
            self.read_whole += 1
            shown = drafts.mark_of(item, self.access_token, self.base)
        if shown in self.missing:
            self.found[shown] = item.copy
            self.missing.discard(shown)
