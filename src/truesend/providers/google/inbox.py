"""What comes into a Gmail mailbox: by its history, and by the listing where the history is told no more.

``history.list`` shows each message once, whichever label it got ("live"); one older than about a week is answered with
404 (Gmail guide, "Synchronize clients"), and then everything since a given time is listed and read again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from truesend.providers.contract import InboxPage, ProviderError, Received, Request
from truesend.providers.google import gmail
from truesend.providers.google.calls import ask
from truesend.providers.shapes import INBOX_HEADERS

# Messages to a page: each is read singly (20 units), and a mailbox has 6,000 units a minute.
PAGE = 100
# What is no mail, or not one that came in.
_OWN = frozenset({"SENT", "DRAFT"})
_NO_MAIL = "CHAT"
_LISTING = "list"


def history_request(access_token: str, start: str, base: str) -> Request:
    """``history.list`` of messages that were added after ``start`` (2 units)."""
    asked = urlencode(
        [("startHistoryId", start), ("maxResults", str(PAGE)), ("historyTypes", "messageAdded")]
    )
    return _get(f"{base}/gmail/v1/users/me/history?{asked}", "history.list", access_token)


def listing_request(access_token: str, page: str, base: str) -> Request:
    """``messages.list`` of everything, newest first, spam and bin as well (5 units)."""
    asked = [("includeSpamTrash", "true"), ("maxResults", str(PAGE))]
    asked += [("pageToken", page)] if page else []
    return _get(f"{base}/gmail/v1/users/me/messages?{urlencode(asked)}", "messages.list", access_token)


def headers_request(access_token: str, message_id: str, base: str) -> Request:
    """``messages.get`` of the headers that tell whether a mail concerns us (20 units)."""
    names = "".join(f"&metadataHeaders={name}" for name in INBOX_HEADERS)
    return _get(
        f"{base}/gmail/v1/users/me/messages/{quote(message_id, safe='')}?format=metadata{names}",
        "messages.get",
        access_token,
    )


def raw_request(access_token: str, message_id: str, base: str) -> Request:
    """``messages.get`` of a whole message (20 units)."""
    return _get(
        f"{base}/gmail/v1/users/me/messages/{quote(message_id, safe='')}?format=raw",
        "messages.get",
        access_token,
    )


def _get(url: str, operation: str, access_token: str) -> Request:
    return Request("GET", url, operation, {"Authorization": f"Bearer {access_token}"})


@dataclass(frozen=True)
class Added:
    """A page of history: (message id, its labels or None where none are told); where the next page begins."""

    messages: tuple[tuple[str, frozenset[str] | None], ...]
    position: str
    complete: bool


def read_added(body: object) -> Added | None:
    """A page of ``history.list`` of added messages; None where it is no such thing."""
    entries = body.get("history", []) if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(entries, list):
        return None
    position, found = str(body.get("historyId") or ""), {}
    last = ""
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("messagesAdded", []), list):
            return None
        last = str(entry.get("id") or "")
        for change in entry.get("messagesAdded", []):
            message = change.get("message") if isinstance(change, Mapping) else None
            if not isinstance(message, Mapping) or not isinstance(message.get("id"), str):
                return None
            labels = message.get("labelIds")
            found[message["id"]] = frozenset(map(str, labels)) if isinstance(labels, list) else None
    more = bool(body.get("nextPageToken"))
    # A page goes on behind its last entry, so that its place is good for a later look as well.
    position = last if more else position
    if not position.isdecimal() or len(position) > 20:
        return None
    return Added(tuple(found.items()), position, not more)


def read_received(body: object) -> Received | None:
    """A Message resource in ``metadata``; None where it is no such thing, or no mail."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        return None
    labels = body.get("labelIds")
    names = frozenset(map(str, labels)) if isinstance(labels, list) else frozenset()
    payload, size = body.get("payload"), body.get("sizeEstimate")
    shown = payload.get("headers") if isinstance(payload, Mapping) else None
    headers: dict[str, str] = {}
    for one in shown if isinstance(shown, list) else []:
        if isinstance(one, Mapping) and str(one.get("name", "")).lower() in INBOX_HEADERS:
            name, value = str(one["name"]).lower(), " ".join(str(one.get("value") or "").split())
            headers[name] = f"{headers[name]} {value}" if name in headers else value
    return Received(
        body["id"],
        str(body.get("threadId") or ""),
        _moment(body.get("internalDate")),
        headers,
        own=bool(names & _OWN) or _NO_MAIL in names,
        size=size if isinstance(size, int) else 0,
    )


def _moment(milliseconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def page(access_token: str, cursor: str, *, since: datetime, base: str) -> InboxPage:
    """What came in behind ``cursor``: a number of the history, or a place in a listing that is not read to its end."""
    if cursor.startswith(f"{_LISTING} "):
        return _listed(access_token, cursor, base)
    if not cursor.isdecimal():
        return _begun(access_token, since, base, started_over=bool(cursor))
    try:
        added = read_added(ask(history_request(access_token, cursor, base)))
    except ProviderError as error:
        if error.cause == "not_found":
            return _begun(access_token, since, base, started_over=True)
        raise
    if added is None:
        raise ProviderError("provider_garbage", "A history that cannot be read.")
    received = (
        _read(access_token, one, base)
        for one, labels in added.messages
        if labels is None or not (labels & _OWN or _NO_MAIL in labels)
    )
    return InboxPage(tuple(one for one in received if one is not None), added.position, added.complete)


def _begun(access_token: str, since: datetime, base: str, *, started_over: bool) -> InboxPage:
    """The first page of the listing; the history goes on from where it stood before that."""
    number = gmail.read_position(ask(gmail.profile_request(access_token, base)))
    if number is None:
        raise ProviderError("provider_garbage", "A profile without the number of its newest change.")
    return _listed(
        access_token, f"{_LISTING} {number} {int(since.timestamp())}", base, started_over=started_over
    )


def _listed(access_token: str, cursor: str, base: str, *, started_over: bool = False) -> InboxPage:
    """A page of the listing, newest first, back to the time that the cursor names."""
    parts = cursor.split(" ")
    if len(parts) not in (3, 4) or not parts[1].isdecimal() or not parts[2].isdecimal():
        raise ProviderError("provider_garbage", "A place in a list that cannot be read.")
    number, since = parts[1], datetime.fromtimestamp(int(parts[2]), UTC)
    listed = gmail.read_listing(ask(listing_request(access_token, parts[3] if len(parts) == 4 else "", base)))
    if listed is None:
        raise ProviderError("provider_garbage", "A list of messages that cannot be read.")
    ids, following = listed
    if not following.isprintable() or " " in following:
        raise ProviderError("provider_garbage", "A place in a list that cannot be read.")
    found: list[Received] = []
    for one in ids:
        message = _read(access_token, one, base)
        if message is None:
            continue
        if message.at is not None and message.at < since:
            following = ""
            break
        found.append(message)
    place = f"{_LISTING} {number} {parts[2]} {following}" if following else number
    # More may have come while it was read: the history tells, next time.
    return InboxPage(tuple(reversed(found)), place, complete=False, started_over=started_over)


def _read(access_token: str, message_id: str, base: str) -> Received | None:
    """A message's headers; None where it is gone already."""
    try:
        found = read_received(ask(headers_request(access_token, message_id, base)))
    except ProviderError as error:
        if error.cause == "not_found":
            return None
        raise
    if found is None:
        raise ProviderError("provider_garbage", "A message that cannot be read.")
    return found


def mail(access_token: str, message_id: str, base: str) -> bytes:
    """A whole message."""
    body: Any = ask(raw_request(access_token, message_id, base))
    raw = body.get("raw") if isinstance(body, Mapping) else None
    try:
        return base64.urlsafe_b64decode(str(raw or "") + "==") if isinstance(raw, str) else b""
    except (binascii.Error, ValueError):
        raise ProviderError("provider_garbage", "A message that cannot be read.") from None
