"""Building calls to Graph's mail and reading their answers. Pure.

Every call asks for immutable ids: the ordinary one of a message changes when it moves from Drafts to Sent Items
(Graph, "Get immutable identifiers for Outlook resources").
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import Any
from urllib.parse import quote, urlencode

from truesend.providers.contract import CHECK_CALL, OF_THE_CONTENT, Enclosure, Request, SentCopy
from truesend.providers.http import Answer

# Our mark travels in a header of its own; Graph carries those that begin with x-.
MARK_HEADER = "X-Truesend-Delivery"
# Messages to a page of Sent Items or Drafts; Graph's bound is 1,000.
PAGE = 50

# Exchange's own bound of a message's headers is 256 KB.
_HEADERS_AT_MOST = 256 * 1024
_IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
_NO_DRAFT = "truesend-checks-its-sends"
_IDS = "id,isDraft,internetMessageId,conversationId"
_WITH_HEADERS = f"{_IDS},internetMessageHeaders"


def _headers(access_token: str, content_type: str = "") -> dict[str, str]:
    told = {"Content-Type": content_type} if content_type else {}
    return {"Authorization": f"Bearer {access_token}", **_IMMUTABLE, **told}


def send_mail_request(raw: bytes, access_token: str, base: str) -> Request:
    """``sendMail`` with the whole message in base64; it is always kept in Sent Items."""
    return Request(
        "POST", f"{base}/me/sendMail", "send", _headers(access_token, "text/plain"), base64.b64encode(raw)
    )


def send_check_request(access_token: str, base: str) -> Request:
    """``sendMail`` with what is no base64, so that nothing can leave: ``ErrorMimeContentInvalidBase64String``."""
    return Request("POST", f"{base}/me/sendMail", CHECK_CALL, _headers(access_token, "text/plain"), b"!")


def draft_check_requests(access_token: str, base: str) -> list[Request]:
    """A draft of what is no base64, which is not made, and the send of one that nobody made."""
    headers = _headers(access_token, "text/plain")
    return [
        Request("POST", f"{base}/me/messages", CHECK_CALL, headers, b"!"),
        Request(
            "POST",
            f"{_message(_NO_DRAFT, base)}/send",
            CHECK_CALL,
            _headers(access_token),
            b"",
            good_refusals=OF_THE_CONTENT | {"not_found"},
        ),
    ]


def draft_request(raw: bytes, access_token: str, base: str) -> Request:
    """A new message in Drafts, which sends nothing."""
    return Request(
        "POST",
        f"{base}/me/messages",
        "drafts.create",
        _headers(access_token, "text/plain"),
        base64.b64encode(raw),
    )


def file_request(message_id: str, file: Enclosure, access_token: str, base: str) -> Request:
    """Give a draft a file of less than 3 MB in one call."""
    body = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        **_described(file),
        "contentBytes": base64.b64encode(b"".join(file.read())).decode(),
    }
    return Request(
        "POST",
        f"{_message(message_id, base)}/attachments",
        "attachments.create",
        _headers(access_token, "application/json"),
        json.dumps(body).encode(),
    )


def session_request(message_id: str, file: Enclosure, access_token: str, base: str) -> Request:
    """Open an upload session for a file from 3 to 150 MB (Graph, "attachment: createUploadSession")."""
    item = {"attachmentType": "file", "size": file.size, **_described(file)}
    return Request(
        "POST",
        f"{_message(message_id, base)}/attachments/createUploadSession",
        "uploads.start",
        _headers(access_token, "application/json"),
        json.dumps({"AttachmentItem": item}).encode(),
    )


def _described(file: Enclosure) -> dict[str, object]:
    told: dict[str, object] = {"name": file.name, "contentType": file.content_type}
    return {**told, "isInline": True, "contentId": file.content_id} if file.content_id else told


def files_request(message_id: str, access_token: str, base: str) -> Request:
    """The files that a message has, without their bytes."""
    asked = {"$select": "id,name,size", "$top": "200"}
    return _get(f"{_message(message_id, base)}/attachments", "attachments.list", access_token, asked)


def send_draft_request(message_id: str, access_token: str, base: str) -> Request:
    """Send a draft; the body is empty and says so (``Content-Length: 0``)."""
    return Request("POST", f"{_message(message_id, base)}/send", "drafts.send", _headers(access_token), b"")


def delete_request(message_id: str, access_token: str, base: str) -> Request:
    """Delete a draft."""
    return Request("DELETE", _message(message_id, base), "drafts.delete", _headers(access_token))


def message_request(message_id: str, access_token: str, base: str) -> Request:
    """One message's ids, and whether it is a draft."""
    return _get(_message(message_id, base), "messages.get", access_token, {"$select": _IDS})


def content_request(message_id: str, access_token: str, base: str) -> Request:
    """One message as MIME."""
    return _get(f"{_message(message_id, base)}/$value", "messages.value", access_token)


def by_internet_id_request(internet_message_id: str, access_token: str, base: str) -> Request:
    """Messages of any folder with this Message-ID; a quote in a filter is doubled (OData 4.01, 5.1.1.6)."""
    quoted = internet_message_id.replace("'", "''")
    asked = {"$filter": f"internetMessageId eq '{quoted}'", "$select": _IDS, "$top": "5"}
    return _get(f"{base}/me/messages", "messages.list", access_token, asked)


def sent_request(since: datetime, access_token: str, base: str) -> Request:
    """What was sent since then, newest first. By what is ordered, has to be filtered too (Graph, "List messages")."""
    asked = {
        "$filter": f"sentDateTime ge {_moment(since)}",
        "$orderby": "sentDateTime desc",
        "$select": _WITH_HEADERS,
        "$top": str(PAGE),
    }
    return _get(f"{base}/me/mailFolders/sentitems/messages", "messages.list", access_token, asked)


def drafts_request(access_token: str, base: str, since: datetime | None = None) -> Request:
    """The newest drafts; or those made ``since`` then, the oldest first."""
    asked = {"$orderby": "lastModifiedDateTime desc", "$select": _WITH_HEADERS, "$top": str(PAGE)}
    if since is not None:
        asked["$filter"] = f"createdDateTime ge {_moment(since)}"
        asked["$orderby"] = "createdDateTime asc"
    return _get(f"{base}/me/mailFolders/drafts/messages", "messages.list", access_token, asked)


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def probe_request(access_token: str, base: str) -> Request:
    """The smallest list of messages there is."""
    return _get(f"{base}/me/messages", "messages.list", access_token, {"$select": "id", "$top": "1"})


def me_request(access_token: str, base: str) -> Request:
    """Whose account it is."""
    asked = {"$select": "id,displayName,mail,userPrincipalName"}
    return _get(f"{base}/me", "me", access_token, asked)


def following_request(link: str, access_token: str, base: str) -> Request | None:
    """The next page; None where the link leads away from Graph, where the access token must not go."""
    if not link.startswith(f"{base}/") or not all("!" <= c <= "~" for c in link):
        return None
    return Request("GET", link, "messages.list", _headers(access_token))


def _message(message_id: str, base: str) -> str:
    return f"{base}/me/messages/{quote(message_id, safe='')}"


def _get(url: str, operation: str, access_token: str, asked: Mapping[str, str] | None = None) -> Request:
    query = f"?{urlencode(asked, quote_via=quote, safe='$,')}" if asked else ""
    return Request("GET", url + query, operation, _headers(access_token))


@dataclass(frozen=True)
class Item:
    """A message's ids and what it shows of itself. ``mark`` is None where it shows no headers at all."""

    copy: SentCopy
    is_draft: bool
    mark: str | None


def is_accepted(answer: Answer) -> bool:
    """Whether a send was taken: 202 and not a word (Graph, "user: sendMail")."""
    return answer.status == 202 and not answer.body.strip()


def read_message(body: Any) -> Item | None:
    """A message resource with at least id and ``isDraft``; None where it is no such thing."""
    if not isinstance(body, Mapping):
        return None
    message_id, is_draft = body.get("id"), body.get("isDraft")
    if not is_id(message_id) or not isinstance(is_draft, bool):
        return None
    conversation, internet_id = body.get("conversationId"), body.get("internetMessageId")
    return Item(
        SentCopy(
            str(message_id),
            conversation if isinstance(conversation, str) and conversation.isprintable() else "",
            internet_id if isinstance(internet_id, str) and internet_id.isprintable() else "",
        ),
        is_draft,
        _mark(body.get("internetMessageHeaders")),
    )


def is_id(value: object) -> bool:
    """Text that can stand in an address and be kept."""
    return isinstance(value, str) and 0 < len(value) <= 1000 and all("!" <= c <= "~" for c in value)


def _mark(headers: object) -> str | None:
    """Our mark among the headers shown; empty where there are others only."""
    if not isinstance(headers, list) or not headers:
        return None
    for header in headers:
        if isinstance(header, Mapping) and str(header.get("name", "")).lower() == MARK_HEADER.lower():
            return str(header.get("value") or "").strip()
    return ""


def read_list(body: Any) -> tuple[list[Item], str] | None:
    """(messages, the address of the next page or nothing) of a page; None where it is no such thing."""
    listed = body.get("value") if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        return None
    items = [read_message(one) for one in listed]
    following = body.get("@odata.nextLink")
    if any(one is None for one in items):
        return None
    return [one for one in items if one is not None], following if isinstance(following, str) else ""


def mark_in(content: bytes) -> str | None:
    """Our mark in the headers of a whole message; empty where it has none, None where it is no message.

    Every message has a Message-ID: one that shows none shows no headers.
    """
    head = BytesHeaderParser(policy=compat32).parsebytes(content[:_HEADERS_AT_MOST])
    return str(head.get(MARK_HEADER) or "").strip() if head.get("Message-ID") else None
