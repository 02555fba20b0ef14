"""What comes into an Outlook mailbox: the changes (``delta``) of its Inbox and its Junk Email.

Reports come into the Inbox as ordinary messages; a filter may put anything into Junk. A delta link that is no longer
known is answered with 410 (or another 40x with ``syncStateNotFound``), and its folder is listed again since a time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from truesend.providers.contract import InboxPage, ProviderError, Received, Request
from truesend.providers.microsoft import calls, graph
from truesend.providers.shapes import INBOX_HEADERS

FOLDERS = ("inbox", "junkemail")
PAGE = 50
_SELECT = "id,conversationId,internetMessageId,receivedDateTime,from,subject,isDraft,internetMessageHeaders"
_PREFER = f'IdType="ImmutableId", odata.maxpagesize={PAGE}'


def delta_request(folder: str, since: datetime, access_token: str, base: str) -> Request:
    """The messages of a folder since then, and the beginning of its changes ("message: delta")."""
    asked = {
        "changeType": "created",
        "$filter": f"receivedDateTime ge {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "$select": _SELECT,
    }
    query = urlencode(asked, quote_via=quote, safe="$,:")
    return _get(f"{base}/me/mailFolders/{folder}/messages/delta?{query}", "messages.delta", access_token)


def following_request(link: str, access_token: str, base: str) -> Request | None:
    """The next page, or what changed since the last one; None where the link leads away from Graph."""
    if not link.startswith(f"{base}/") or not all("!" <= c <= "~" for c in link):
        return None
    return _get(link, "messages.delta", access_token)


def headers_request(message_id: str, access_token: str, base: str) -> Request:
    """One message with its headers, for a delta that does not show them."""
    url = f"{base}/me/messages/{quote(message_id, safe='')}?{urlencode({'$select': _SELECT}, safe='$,')}"
    return _get(url, "messages.get", access_token)


def _get(url: str, operation: str, access_token: str) -> Request:
    return Request("GET", url, operation, {"Authorization": f"Bearer {access_token}", "Prefer": _PREFER})


def read_changes(body: object) -> tuple[list[Mapping[str, Any]], str, bool] | None:
    """(messages that are there, the link to go on by, whether this was all) of a page; None where it is none."""
    listed = body.get("value") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(listed, list):
        return None
    following, done = body.get("@odata.nextLink"), body.get("@odata.deltaLink")
    link = following if isinstance(following, str) else done
    if not isinstance(link, str) or not all(
        isinstance(one, Mapping) and graph.is_id(one.get("id")) for one in listed
    ):
        return None
    return [one for one in listed if "@removed" not in one], link, following is None


def read_received(body: Mapping[str, Any]) -> Received:
    """A message resource with what was selected; headers that it does not show are made of what it does."""
    headers: dict[str, str] = {}
    listed = body.get("internetMessageHeaders")
    for one in listed if isinstance(listed, list) else []:
        name = str(one.get("name", "")).lower() if isinstance(one, Mapping) else ""
        if name in INBOX_HEADERS:
            value = " ".join(str(one.get("value") or "").split())
            headers[name] = f"{headers[name]} {value}" if name in headers else value
    for name, value in _shown(body).items():
        headers.setdefault(name, value)
    conversation = body.get("conversationId")
    return Received(
        str(body["id"]),
        conversation if isinstance(conversation, str) and conversation.isprintable() else "",
        _moment(body.get("receivedDateTime")),
        headers,
        own=body.get("isDraft") is True,
    )


def _shown(body: Mapping[str, Any]) -> dict[str, str]:
    author = body.get("from")
    person = author.get("emailAddress") if isinstance(author, Mapping) else None
    address = person.get("address") if isinstance(person, Mapping) else None
    found = {
        "from": f"<{address}>" if isinstance(address, str) else None,
        "subject": body.get("subject"),
        "message-id": body.get("internetMessageId"),
    }
    return {name: " ".join(value.split()) for name, value in found.items() if isinstance(value, str)}


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def page(access_token: str, cursor: str, *, since: datetime, base: str) -> InboxPage:
    """A page of each folder behind ``cursor``: their links, as JSON."""
    links = _links(cursor)
    started_over = bool(cursor) and set(links) != set(FOLDERS)
    found: list[Received] = []
    complete = True
    for folder in FOLDERS:
        try:
            listed, link, is_last = _changes(links.get(folder), folder, since, access_token, base)
        except ProviderError as error:
            if error.cause != "not_found" or folder not in links:
                raise
            started_over = True
            listed, link, is_last = _changes(None, folder, since, access_token, base)
        links[folder] = link
        complete = complete and is_last
        found += [one for body in listed if (one := _whole(body, access_token, base)) is not None]
    return InboxPage(tuple(found), json.dumps(links), complete, started_over)


def _links(cursor: str) -> dict[str, str]:
    try:
        kept = json.loads(cursor) if cursor else {}
    except ValueError:
        return {}
    return {one: kept[one] for one in FOLDERS if isinstance(kept, dict) and isinstance(kept.get(one), str)}


def _changes(
    link: str | None, folder: str, since: datetime, access_token: str, base: str
) -> tuple[list[Mapping[str, Any]], str, bool]:
    request = (
        delta_request(folder, since, access_token, base)
        if link is None
        else following_request(link, access_token, base)
    )
    if request is None:
        raise calls.garbage("the address of a page")
    changes = read_changes(calls.ask(request))
    if changes is None:
        raise calls.garbage("a list of changes")
    return changes


def _whole(body: Mapping[str, Any], access_token: str, base: str) -> Received | None:
    """A message with its headers; None where it is gone already."""
    if isinstance(body.get("internetMessageHeaders"), list) or body.get("isDraft") is True:
        return read_received(body)
    try:
        asked = calls.ask(headers_request(str(body["id"]), access_token, base))
    except ProviderError as error:
        if error.cause == "not_found":
            return None
        raise
    if not isinstance(asked, Mapping) or not graph.is_id(asked.get("id")):
        raise calls.garbage("a message")
    return read_received(asked)


def mail(access_token: str, message_id: str, base: str) -> bytes:
    """A whole message, as MIME."""
    return calls.content(graph.content_request(message_id, access_token, base))
