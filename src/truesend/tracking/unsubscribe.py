"""Unsubscribing at the tracker: a page by GET, an effect by POST alone, and safe on the disk before it is said.

Gateways and browsers fetch links ahead, so a GET changes nothing and leaves nothing behind. A POST is either the
page's own button or a mail program's (RFC 8058: ``List-Unsubscribe=One-Click``, no cookie, no redirect). It is answered
when it stands, synced, in a segment of this process; the loader carries it on. So it works whatever becomes of the
database. Unlike a hit it is never answered without being safe: who is told "you are unsubscribed" is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from truesend import clock
from truesend.tracking import answers, tokens, unsubscribe_pages, unsubscribe_records, unsubscribe_tokens
from truesend.tracking.answers import Answer
from truesend.tracking.segments import MAX_AGE, Segments
from truesend.tracking.unsubscribe_pages import ACTION, UNDO, UNSUBSCRIBE
from truesend.tracking.unsubscribe_records import Kind, Said, Way
from truesend.tracking.unsubscribe_tokens import UnsubscribeToken

PATH = "/t/u/"
MOST_BYTES = 16 * 1024
"""Of a body; a button's has less than a hundred."""

PATIENCE = 10.0
"""Seconds for a body to arrive and for the disk to take it."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Unsubscribes:
    """The pages and what they write down. For one event loop."""

    def __init__(self, keys: tokens.Keys, data: Path) -> None:
        self._keys = keys
        self._folder = unsubscribe_records.folder_in(data)
        self._segments: Segments | None = None
        # One thread, for a segment has one writer.
        self._thread: ThreadPoolExecutor | None = None
        self._closing: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to take them. ``OSError``: the folder cannot be used."""
        self._segments = Segments(self._folder)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="unsubscribes")

    def stop(self) -> None:
        """Close what was written; it is safe in any case."""
        if self._closing is not None:
            self._closing.cancel()
        if self._thread is not None and self._segments is not None:
            self._thread.submit(self._segments.close)
            self._thread.shutdown(wait=True)
            self._thread = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head, body = await self._answer(scope, receive)
        await send(head)
        await send(answers.EMPTY if scope["method"] == "HEAD" else body)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            token = unsubscribe_tokens.read(self._keys, scope["path"].removeprefix(PATH))
        except tokens.UnknownKeyError:
            return answers.KEY_REMOVED
        except tokens.TokenError:
            return answers.NOT_VALID
        if scope["method"] in {"GET", "HEAD"}:
            return unsubscribe_pages.asking(token)
        if scope["method"] != "POST":
            return unsubscribe_pages.WRONG_METHOD
        try:
            async with asyncio.timeout(PATIENCE):
                sent = await _body(receive)
        except (TimeoutError, ConnectionError):
            return unsubscribe_pages.not_understood(token)
        if sent is None:
            return unsubscribe_pages.TOO_LARGE
        asked = _asked(sent, _content_type(scope))
        if asked is None:
            return unsubscribe_pages.not_understood(token)
        return await self._note(token, *asked)

    async def _note(self, token: UnsubscribeToken, kind: Kind, way: Way) -> Answer:
        undoes = kind is Kind.UNDO
        said = Said(kind, way, clock.now(), token.delivery, token.organization, token.address)
        if not await self._keep(unsubscribe_records.pack(said)):
            return unsubscribe_pages.not_noted(token, UNDO if undoes else UNSUBSCRIBE)
        return unsubscribe_pages.undone(token) if undoes else unsubscribe_pages.done(token)

    async def _keep(self, record: bytes) -> bool:
        """Whether it is safe on the disk."""
        if self._thread is None or self._segments is None:
            return False
        loop = asyncio.get_running_loop()
        written = loop.run_in_executor(self._thread, self._segments.append, [record])
        if self._closing is None:
            self._closing = loop.call_later(MAX_AGE + 1, self._close_if_old)
        try:
            # Later it may still be written: then it counts, and was said to be uncertain only.
            return await asyncio.wait_for(asyncio.shield(written), PATIENCE) == 1
        except TimeoutError:
            return False

    def _close_if_old(self) -> None:
        """So that it is removed once it is loaded."""
        self._closing = None
        if self._thread is not None and self._segments is not None:
            self._thread.submit(self._segments.close_if_old)


async def _body(receive: Receive) -> bytes | None:
    """All of a request's body; ``None`` where it is too large. ``ConnectionError``: whoever sent it is gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body"):
            return body


def _content_type(scope: Scope) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"content-type"), b"")


def _asked(body: bytes, content_type: bytes) -> tuple[Kind, Way] | None:
    """What a form says; RFC 8058 lets mail programs send it in either of the two forms."""
    fields = _multipart(body, content_type) if b"multipart/" in content_type.lower() else _urlencoded(body)
    if fields.get("list-unsubscribe", "").lower() == "one-click":
        return Kind.UNSUBSCRIBE, Way.ONE_CLICK
    kinds = {UNSUBSCRIBE: Kind.UNSUBSCRIBE, UNDO: Kind.UNDO}
    kind = kinds.get(fields.get(ACTION, ""))
    return None if kind is None else (kind, Way.PAGE)


def _urlencoded(body: bytes) -> dict[str, str]:
    with contextlib.suppress(ValueError):
        pairs = parse_qsl(body.decode("ascii", errors="replace"), keep_blank_values=True, max_num_fields=50)
        return {name.strip().lower(): value.strip() for name, value in pairs}
    return {}


def _multipart(body: bytes, content_type: bytes) -> dict[str, str]:
    head = b"Content-Type: " + content_type.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n\r\n"
    fields: dict[str, str] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + body).walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name.strip().lower()] = content.decode("ascii", errors="replace").strip()
    return fields
