"""Gmail's reading: messages, threads, labels, profile, send-as."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from aiohttp import web

from truesend_sandbox.google import errors, gmail_parts, gmail_store
from truesend_sandbox.google.api import Caller
from truesend_sandbox.google.gmail_query import Query
from truesend_sandbox.store import Row

SYSTEM_LABELS = ("INBOX", "SENT", "DRAFT", "UNREAD", "STARRED", "IMPORTANT", "SPAM", "TRASH")
_HIDDEN = ("SPAM", "TRASH")


def get(caller: Caller) -> web.StreamResponse:
    """`messages.get` in its four formats."""
    query = caller.call.request.query
    shape = query.get("format", "full").lower()
    if shape not in ("full", "metadata", "minimal", "raw"):
        return errors.bad_request(f"Invalid value at 'format' : \"{shape}\"")
    if caller.metadata_only and shape in ("full", "raw"):
        return errors.api_error(403, f"Metadata scope doesn't allow format {shape.upper()}", "forbidden")
    row = gmail_store.get(caller.world, caller.account.id, caller.call.request.match_info["id"])
    if row is None:
        return errors.not_found()
    return errors.json_answer(gmail_parts.resource(row, shape, query.getall("metadataHeaders", [])))


def attachment(caller: Caller) -> web.StreamResponse:
    """`messages.attachments.get`."""
    info = caller.call.request.match_info
    row = gmail_store.get(caller.world, caller.account.id, info["id"])
    data = None if row is None else gmail_parts.attachment(row, info["attachment"])
    if data is None:
        return errors.not_found()
    return errors.json_answer({"size": len(data), "data": gmail_parts.base64url(data)})


def page_size(caller: Caller, default: int) -> int | web.Response:
    """`maxResults` within Google's bounds."""
    text = caller.call.request.query.get("maxResults", str(default))
    if not text.isdecimal():
        return errors.bad_request(f"Invalid value at 'max_results' (TYPE_UINT32), \"{text}\"")
    return max(1, min(int(text), 500))


def page_token(number: int) -> str:
    """The token of the page that begins behind a number."""
    return base64.urlsafe_b64encode(f"p{number}".encode()).decode().rstrip("=")


def page_start(caller: Caller) -> int | web.Response | None:
    """The number a `pageToken` stands for; None on the first page."""
    text = caller.call.request.query.get("pageToken")
    if not text:
        return None
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        return int(decoded.removeprefix("p"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return errors.bad_request("Invalid pageToken")


def _visible_before(caller: Caller, row: Row) -> bool:
    """Whether the listing shows this message already: the Sent listing may be late, by switch."""
    late = caller.call.switch("sent_listing_delay") if row["sent"] else 0
    return bool(row["at"] + late <= caller.call.now)


def _wanted(caller: Caller, row: Row, labels: list[str], query: Query | None, *, spam: bool) -> bool:
    has = row["labels"].split()
    if not all(label in has for label in labels) or not _visible_before(caller, row):
        return False
    if not spam and any(label in has and label not in labels for label in _HIDDEN):
        return False
    if query is None:
        return True
    # The search index follows the mailbox late; label listings do not ("live", google.md §2).
    if row["at"] + caller.call.switch("search_index_delay") > caller.call.now:
        return False
    return query.matches(row)


def _scan(caller: Caller, labels: list[str], start: int | None) -> list[Row]:
    """The next hundred candidates, newest first, by the narrowest index there is."""
    columns = "m.seq, m.id, m.thread_id, m.labels, m.at, m.sent, m.rfc_id, m.raw"
    below = 2**62 if start is None else start
    if labels:
        return caller.world.store.all(
            f"SELECT {columns} FROM gmail_labels l JOIN gmail_messages m ON m.seq = l.seq"  # noqa: S608  # own columns
            " WHERE l.account_id = ? AND l.label = ? AND l.seq < ? ORDER BY l.seq DESC LIMIT 100",
            caller.account.id,
            labels[0],
            below,
        )
    return caller.world.store.all(
        f"SELECT {columns} FROM gmail_messages m WHERE m.account_id = ? AND m.seq < ?"  # noqa: S608  # own columns
        " ORDER BY m.seq DESC LIMIT 100",
        caller.account.id,
        below,
    )


def listing(
    caller: Caller, labels: list[str], text: str, *, spam: bool
) -> tuple[list[Row], int | None] | web.Response:
    """One page of messages, newest first, and where the next one starts."""
    size, start = page_size(caller, 100), page_start(caller)
    if isinstance(size, web.Response):
        return size
    if isinstance(start, web.Response):
        return start
    query = Query(text, caller.call.now) if text else None
    if (
        query is not None
        and [name for _, name in query.terms] == [text]
        and text.lower().startswith("rfc822msgid:")
    ):
        wanted = text.partition(":")[2].strip("<>")
        rows = caller.world.store.all(
            "SELECT * FROM gmail_messages WHERE account_id = ? AND rfc_id = ?",
            caller.account.id,
            f"<{wanted}>",
        )
        return [row for row in rows if _wanted(caller, row, labels, query, spam=spam)], None
    found: list[Row] = []
    while True:
        rows = _scan(caller, labels, start)
        for row in rows:
            start = row["seq"]
            if _wanted(caller, row, labels, query, spam=spam):
                if len(found) == size:
                    return found, found[-1]["seq"]
                found.append(row)
        if len(rows) < 100:
            return found, None


def list_messages(caller: Caller) -> web.StreamResponse:
    """`messages.list`: ids only, newest first."""
    query = caller.call.request.query
    text = query.get("q", "").strip()
    if text and caller.metadata_only:
        return errors.api_error(403, "Metadata scope does not support 'q' parameter", "forbidden")
    labels = query.getall("labelIds", [])
    known = set(SYSTEM_LABELS)
    if any(label not in known for label in labels):
        return errors.bad_request(f"Invalid label: {next(label for label in labels if label not in known)}")
    found = listing(caller, labels, text, spam=query.get("includeSpamTrash") == "true")
    if isinstance(found, web.Response):
        return found
    rows, following = found
    body: dict[str, Any] = {}
    if rows:
        body["messages"] = [{"id": row["id"], "threadId": row["thread_id"]} for row in rows]
    if following is not None:
        body["nextPageToken"] = page_token(following)
    body["resultSizeEstimate"] = len(rows) + (following is not None)
    return errors.json_answer(body)


def thread(caller: Caller) -> web.StreamResponse:
    """`threads.get`."""
    shape = caller.call.request.query.get("format", "full").lower()
    if caller.metadata_only and shape not in ("metadata", "minimal"):
        return errors.api_error(403, f"Metadata scope doesn't allow format {shape.upper()}", "forbidden")
    rows = caller.world.store.all(
        "SELECT * FROM gmail_messages WHERE account_id = ? AND thread_id = ? ORDER BY seq",
        caller.account.id,
        caller.call.request.match_info["id"],
    )
    if not rows:
        return errors.not_found()
    names = caller.call.request.query.getall("metadataHeaders", [])
    return errors.json_answer(
        {
            "id": rows[0]["thread_id"],
            "historyId": str(max(row["history_id"] for row in rows)),
            "messages": [gmail_parts.resource(row, shape, names) for row in rows],
        }
    )


def labels(caller: Caller) -> web.StreamResponse:
    """`labels.list`: the system labels."""
    listed = [{"id": label, "name": label, "type": "system"} for label in SYSTEM_LABELS]
    return errors.json_answer({"labels": listed})


def profile(caller: Caller) -> web.StreamResponse:
    """`getProfile`."""
    store, number = caller.world.store, caller.account.id
    messages = store.value("SELECT COUNT(*) FROM gmail_messages WHERE account_id = ?", number)
    threads = store.value("SELECT COUNT(DISTINCT thread_id) FROM gmail_messages WHERE account_id = ?", number)
    return errors.json_answer(
        {
            "emailAddress": caller.account.email,
            "messagesTotal": messages,
            "threadsTotal": threads,
            "historyId": str(gmail_store.last_history_id(caller.world, number)),
        }
    )


def _aliases(caller: Caller) -> list[dict[str, Any]]:
    account = caller.account
    listed: list[dict[str, Any]] = [
        {
            "sendAsEmail": account.email,
            "displayName": account.name,
            "replyToAddress": "",
            "signature": "",
            "isPrimary": True,
            "isDefault": True,
        }
    ]
    for alias in account.fields.get("send_as", []):
        listed.append(
            {
                "sendAsEmail": alias["email"],
                "displayName": alias.get("name", ""),
                "replyToAddress": "",
                "signature": "",
                "isDefault": False,
                "treatAsAlias": True,
                "verificationStatus": "accepted" if alias.get("verified", True) else "pending",
            }
        )
    return listed


def send_as_list(caller: Caller) -> web.StreamResponse:
    """`settings.sendAs.list`."""
    return errors.json_answer({"sendAs": _aliases(caller)})


def send_as_get(caller: Caller) -> web.StreamResponse:
    """`settings.sendAs.get`."""
    wanted = caller.call.request.match_info["alias"].lower()
    found = next((alias for alias in _aliases(caller) if alias["sendAsEmail"] == wanted), None)
    return errors.not_found() if found is None else errors.json_answer(found)
