"""Building Gmail API calls and reading their answers. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from truesend.providers.contract import CHECK_CALL, Party, Request, SentCopy
from truesend.providers.http import Answer

# Bodies above about 5 MB are refused as JSON (seen, not documented); base64 adds a third.
JSON_LIMIT_BYTES = 3_500_000
# Entries to a page; the API's own bounds are 500.
HISTORY_PAGE, LISTING_PAGE = 500, 100
# Our mark travels in a header of its own, which Gmail keeps in the Sent copy.
MARK_HEADER = "X-Truesend-Delivery"


def send_request(raw: bytes, access_token: str, thread_id: str, base: str) -> Request:
    """``messages.send`` as JSON, or by the upload endpoint for large mail (media; multipart when it joins a thread)."""
    authorization = {"Authorization": f"Bearer {access_token}"}
    path = "/gmail/v1/users/me/messages/send"
    if len(raw) <= JSON_LIMIT_BYTES:
        # What base64 writes needs no escaping in JSON.
        joined = b', "threadId": ' + json.dumps(thread_id).encode() if thread_id else b""
        return Request(
            "POST",
            base + path,
            "send",
            {**authorization, "Content-Type": "application/json"},
            b'{"raw": "' + base64.urlsafe_b64encode(raw) + b'"' + joined + b"}",
        )
    if not thread_id:
        return Request(
            "POST",
            f"{base}/upload{path}?uploadType=media",
            "send",
            {**authorization, "Content-Type": "message/rfc822"},
            raw,
        )
    boundary = _boundary(raw)
    body = b"".join(
        (
            f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".encode(),
            json.dumps({"threadId": thread_id}).encode(),
            f"\r\n--{boundary}\r\nContent-Type: message/rfc822\r\n\r\n".encode(),
            raw,
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
    return Request(
        "POST",
        f"{base}/upload{path}?uploadType=multipart",
        "send",
        {**authorization, "Content-Type": f"multipart/related; boundary={boundary}"},
        body,
    )


def _boundary(raw: bytes) -> str:
    number = 0
    while f"truesend-{number}".encode() in raw:
        number += 1
    return f"truesend-{number}"


def send_check_request(access_token: str, base: str) -> Request:
    """``messages.send`` with a message that is none: neither base64 nor a recipient stands in it, so nothing can leave.

    Token, scope, policy and mailbox are judged before the content, which is refused with a 400.
    """
    return Request(
        "POST",
        f"{base}/gmail/v1/users/me/messages/send",
        CHECK_CALL,
        {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"},
        b'{"raw": "!"}',
    )


def read_accepted(answer: Answer) -> tuple[str, str] | None:
    """(id, threadId) of a Message resource, which has no ``error``; None where the answer is no such thing."""
    body = answer.json()
    if isinstance(body, Mapping) and "error" not in body and isinstance(body.get("id"), str) and body["id"]:
        return body["id"], str(body.get("threadId") or "")
    return None


def profile_request(access_token: str, base: str) -> Request:
    """``users.getProfile``: the cheapest read there is (1 unit)."""
    return _get(f"{base}/gmail/v1/users/me/profile", "profile", access_token)


def senders_request(access_token: str, base: str) -> Request:
    """``settings.sendAs.list`` (1 unit; ``gmail.readonly`` is enough)."""
    return _get(f"{base}/gmail/v1/users/me/settings/sendAs", "sendAs.list", access_token)


def read_senders(body: object) -> list[Party] | None:
    """Addresses that may be sent from: the primary one, and those whose ``verificationStatus`` is ``accepted``.

    None where the answer is no such list.
    """
    listed = body.get("sendAs") if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        return None
    found = []
    for one in listed:
        address = one.get("sendAsEmail") if isinstance(one, Mapping) else None
        if not isinstance(address, str) or "@" not in address or not address.isprintable():
            continue
        if one.get("isPrimary") is True or one.get("verificationStatus") == "accepted":
            name = one.get("displayName")
            found.append(Party(address.strip(), name.strip() if isinstance(name, str) else ""))
    return found


def message_request(access_token: str, message_id: str, base: str) -> Request:
    """``messages.get`` of our mark and of the Message-ID, which Gmail rewrites on the way (20 units)."""
    names = "".join(f"&metadataHeaders={name}" for name in (MARK_HEADER, "Message-ID"))
    return _get(
        f"{base}/gmail/v1/users/me/messages/{quote(message_id, safe='')}?format=metadata{names}",
        "messages.get",
        access_token,
    )


def history_request(
    access_token: str, position: str, kinds: Iterable[str], label: str, page: str, base: str
) -> Request:
    """``history.list`` of everything after ``position``, of these kinds, of one label or all (2 units)."""
    asked = [
        ("startHistoryId", position),
        ("maxResults", str(HISTORY_PAGE)),
        *(("historyTypes", kind) for kind in kinds),
    ]
    asked += [("labelId", label)] if label else []
    asked += [("pageToken", page)] if page else []
    return _get(f"{base}/gmail/v1/users/me/history?{urlencode(asked)}", "history.list", access_token)


def sent_listing_request(access_token: str, page: str, base: str) -> Request:
    """``messages.list`` of SENT, newest first (5 units).

    By label, which is "immediately consistent"; never by ``q=``, whose index was seen minutes behind. What was sent
    and then thrown away stays in it.
    """
    asked = [("labelIds", "SENT"), ("includeSpamTrash", "true"), ("maxResults", str(LISTING_PAGE))]
    asked += [("pageToken", page)] if page else []
    return _get(f"{base}/gmail/v1/users/me/messages?{urlencode(asked)}", "messages.list", access_token)


def _get(url: str, operation: str, access_token: str) -> Request:
    return Request("GET", url, operation, {"Authorization": f"Bearer {access_token}"})


@dataclass(frozen=True)
class Message:
    """A message's ids and what its headers say. ``at`` is when Gmail took it; None where that cannot be read.

    ``is_readable`` is False where its headers did not come, so that it cannot be said whose it is.
    """

    copy: SentCopy
    mark: str
    at: datetime | None
    is_readable: bool


def read_message(body: object) -> Message | None:
    """A Message resource in ``metadata``; None where it is no such thing."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        return None
    payload = body.get("payload")
    headers = payload.get("headers") if isinstance(payload, Mapping) else None
    found: dict[str, str] = {}
    for header in headers if isinstance(headers, list) else []:
        if isinstance(header, Mapping):
            found.setdefault(str(header.get("name", "")).lower(), str(header.get("value") or "").strip())
    internet_id = found.get("message-id", "")
    labels = body.get("labelIds")
    draft = isinstance(labels, list) and "DRAFT" in labels
    return Message(
        SentCopy(body["id"], str(body.get("threadId") or ""), internet_id),
        "" if draft else found.get(MARK_HEADER.lower(), ""),
        _moment(body.get("internalDate")),
        # Every message has a Message-ID: one that shows none shows no headers.
        bool(internet_id),
    )


def _moment(milliseconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(frozen=True)
class HistoryPage:
    """One page of changes: ids of messages that came into Sent, ids of messages deleted for good.

    ``newest`` is the number up to which the history is told, None where it is not said.
    """

    sent: tuple[str, ...]
    deleted: tuple[str, ...]
    newest: int | None
    following: str


def read_history(body: object) -> HistoryPage | None:
    """A page of ``history.list``; None where it is no such thing.

    ``drafts.send`` shows as a new message, or as SENT added to the draft's own (both were seen).
    """
    entries = body.get("history", []) if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(entries, list) or "historyId" not in body:
        return None
    sent: list[str] = []
    deleted: list[str] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            return None
        for field, into in (("messagesAdded", sent), ("labelsAdded", sent), ("messagesDeleted", deleted)):
            changes = entry.get(field, [])
            if not isinstance(changes, list):
                return None
            for change in changes:
                message = change.get("message") if isinstance(change, Mapping) else None
                if not isinstance(message, Mapping) or not isinstance(message.get("id"), str):
                    return None
                if field == "messagesAdded" or _may_be_sent(
                    change.get("labelIds") if field == "labelsAdded" else message.get("labelIds"),
                    bin_counts=field == "messagesDeleted",
                ):
                    into.append(message["id"])
    newest = str(body["historyId"])
    return HistoryPage(
        tuple(sent), tuple(deleted), int(newest) if newest.isdecimal() else None, _following(body)
    )


def _may_be_sent(labels: object, *, bin_counts: bool) -> bool:
    """Whether these labels are those of something sent; where none are told it may be anything.

    Who deletes for good does it in the bin.
    """
    return (
        not isinstance(labels, list) or not labels or "SENT" in labels or (bin_counts and "TRASH" in labels)
    )


def _following(body: Mapping[str, object]) -> str:
    token = body.get("nextPageToken")
    return token if isinstance(token, str) else ""


def read_listing(body: object) -> tuple[list[str], str] | None:
    """(message ids, token of the next page or empty) of ``messages.list``; None where it is no such thing."""
    if not isinstance(body, Mapping) or not ({"messages", "resultSizeEstimate"} & set(body)):
        return None
    listed = body.get("messages", [])
    if not isinstance(listed, list):
        return None
    ids = [one.get("id") if isinstance(one, Mapping) else None for one in listed]
    if not all(isinstance(one, str) for one in ids):
        return None
    return [str(one) for one in ids], _following(body)


def read_position(body: object) -> str | None:
    """The number of a mailbox's newest change, of a profile; None where there is none in it."""
    number = str(body.get("historyId") or "") if isinstance(body, Mapping) else ""
    return number if number.isdecimal() and len(number) <= 20 else None


def made_at(message_id: str) -> datetime | None:
    """When a message came into being, by its id: 16 hexadecimal digits whose upper 44 bits count milliseconds.

    Seen in every id, and documented nowhere: good for telling an old message from a new one, for nothing else.
    """
    try:
        return _moment(int(message_id, 16) >> 20) if len(message_id) == 16 else None
    except ValueError:
        return None
