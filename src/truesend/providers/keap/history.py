"""Keap's history of sent mail: whether a delivery with our mark is in it.

What is there is there; what is not may be late, or was never kept. So nothing is ever proved absent. The history is
asked by contact and time, as it was prepared, and for what nobody prepared by time alone. No answer to a send tells an
id, and lists carry no content: each mail that could be ours is read singly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from truesend.providers.contract import ProviderError, Request, SentCopy, Traces
from truesend.providers.keap import api, letter

# Our clock and Keap's differ a little.
MARGIN = timedelta(minutes=5)
# What one look may cost of the client's 1,500 calls a minute.
MOST_READ = 100
MOST_CONTACTS = 50
PAGE = 100
# A record of what another account sent (`records.py`) is no mail that left here.
_OF_OTHERS = frozenset({"MICROSOFT", "GOOGLE"})
NEVER_WHOLE = "Keap’s history of sent mail may be late or miss some, so it proves nothing absent."


def probe_request(secret: str) -> Request:
    """The cheapest list there is."""
    return api.get("/v2/emails?page_size=1", "emails.list", secret)


def sent_copy(secret: str, message_id: str) -> SentCopy:
    """A mail of the history, by its id."""
    return _copy(_read(secret, message_id))


def traces(secret: str, marks: Collection[str], *, since: datetime, references: Mapping[str, str]) -> Traces:
    """Look for ``marks`` in the history. ``references`` are what was prepared, by mark."""
    look = _Look(secret, {mark.lower(): mark for mark in marks})
    by_contact: dict[str, datetime] = {}
    unprepared = False
    for mark in marks:
        prepared = letter.read_reference(references.get(mark, ""))
        if prepared is None:
            unprepared = True
            continue
        start = max(since, prepared.at - MARGIN)
        by_contact[prepared.contact] = min(start, by_contact.get(prepared.contact, start))
    for number, start in list(by_contact.items())[:MOST_CONTACTS]:
        look.read({"contact_id": number}, start)
    if unprepared:
        look.read({}, since)
    if not look.wanted:
        return Traces(look.found, complete=True)
    return Traces(look.found, complete=False, words=NEVER_WHOLE)


@dataclass
class _Look:
    """One look: what is still wanted (as the mark is written, by how it is read), and what was found."""

    secret: str
    wanted: dict[str, str]
    found: dict[str, SentCopy] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def read(self, by: Mapping[str, str], start: datetime) -> None:
        """The mails of a filter since ``start``, the oldest first: the first with a mark is the one that was sent."""
        if not self.wanted or len(self.seen) >= MOST_READ:
            return
        terms = {**by, "start_created_time": _time(start)}
        asked = {
            "filter": ";".join(f"{name}=={value}" for name, value in terms.items()),
            "order_by": "created_time asc",
            "page_size": str(PAGE),
        }
        body = api.ask(api.get(f"/v2/emails?{urlencode(asked)}", "emails.list", self.secret), self.secret)
        for one in api.listed(body, "emails"):
            number = api.identifier(one.get("id"))
            if not number or number in self.seen or api.text(one.get("original_provider")) in _OF_OTHERS:
                continue
            if not self.wanted or len(self.seen) >= MOST_READ:
                return
            self.seen.add(number)
            self._one(number)

    def _one(self, number: str) -> None:
        try:
            mail = _read(self.secret, number)
        except ProviderError as error:
            if error.cause == "not_found":
                return  # taken out of the history meanwhile
            raise
        for mark in mail.marks & self.wanted.keys():
            self.found[self.wanted.pop(mark)] = _copy(mail)


def _read(secret: str, number: str) -> letter.Sent:
    body = api.ask(api.get(f"/v2/emails/{quote(number, safe='')}", "emails.get", secret), secret)
    mail = letter.read_sent(body)
    if mail is None or mail.id != number:
        raise ProviderError("provider_garbage", "A sent mail that cannot be read.")
    return mail


def _copy(mail: letter.Sent) -> SentCopy:
    return SentCopy(mail.id, "", mail.internet_message_id)


def _time(moment: datetime) -> str:
    """As filters want it: with milliseconds and an offset."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
