"""Building Gmail API calls and reading their answers. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import quote

from truesend.providers.contract import Request, SentCopy
from truesend.providers.http import Answer

# Bodies above about 5 MB are refused as JSON (seen, not documented); base64 adds a third.
JSON_LIMIT_BYTES = 3_500_000


def send_request(raw: bytes, access_token: str, thread_id: str, base: str) -> Request:
    """``messages.send`` as JSON, or by the upload endpoint for large mail (media; multipart when it joins a thread)."""
    authorization = {"Authorization": f"Bearer {access_token}"}
    path = "/gmail/v1/users/me/messages/send"
    if len(raw) <= JSON_LIMIT_BYTES:
        message: dict[str, str] = {"raw": base64.urlsafe_b64encode(raw).decode()}
        if thread_id:
            message["threadId"] = thread_id
        return Request(
            "POST",
            base + path,
            "send",
            {**authorization, "Content-Type": "application/json"},
            json.dumps(message).encode(),
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


def read_accepted(answer: Answer) -> tuple[str, str] | None:
    """(id, threadId) of a Message resource; None where the answer is no such thing."""
    body = answer.json()
    if isinstance(body, Mapping) and isinstance(body.get("id"), str) and body["id"]:
        return body["id"], str(body.get("threadId") or "")
    return None


def profile_request(access_token: str, base: str) -> Request:
    """``users.getProfile``: the cheapest read there is (1 unit)."""
    return Request(
        "GET", f"{base}/gmail/v1/users/me/profile", "profile", {"Authorization": f"Bearer {access_token}"}
    )


def sent_copy_request(access_token: str, message_id: str, base: str) -> Request:
    """``messages.get`` with the one header that Gmail rewrites on the way."""
    return Request(
        "GET",
        f"{base}/gmail/v1/users/me/messages/{quote(message_id, safe='')}?format=metadata&metadataHeaders=Message-ID",
        "messages.get",
        {"Authorization": f"Bearer {access_token}"},
    )


def read_sent_copy(answer: Answer) -> SentCopy | None:
    """The ids of a sent message, or None where the answer is not a Message resource."""
    body = answer.json()
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        return None
    payload = body.get("payload")
    headers = payload.get("headers") if isinstance(payload, Mapping) else None
    internet_id = ""
    for header in headers if isinstance(headers, list) else []:
        if isinstance(header, Mapping) and str(header.get("name", "")).lower() == "message-id":
            internet_id = str(header.get("value") or "")
    return SentCopy(body["id"], str(body.get("threadId") or ""), internet_id)
