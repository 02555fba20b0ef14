"""Bodies wait on disk, not in a thread: a slow upload or download holds none of the few threads Django has.

A request is handed on once it has arrived whole, with its true length, whatever its header claimed (also chunked,
which WSGI cannot carry). A file that leaves is taken from Django at once and sent at the pace of whoever reads it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

IN_MEMORY = 512 * 1024
_STRETCH = 64 * 1024
# Read and thrown away, so that a browser hears the refusal instead of a broken connection; then no more.
_DRAINED = 8
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_FILES = re.compile(r"/emails/[0-9a-f-]{36}/attachments/[0-9a-f-]{36}")


class Bodies:
    """Stands before an ASGI application that handles a request in a thread.

    Of a body longer than ``most`` bytes the application gets the length and no content: it refuses by the length.
    """

    def __init__(self, app: Application, *, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if _FILES.fullmatch(scope["path"]):
            await self._outgoing(scope, receive, send)
        elif scope["method"] in _BODILESS:
            await self.app(scope, receive, send)
        else:
            await self._incoming(scope, receive, send)

    async def _incoming(self, scope: Message, receive: Receive, send: Send) -> None:
        with SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
            length = await self._take(kept, receive)
            if length is None:
                return  # whoever sent it went away: nobody hears an answer
            headers = [(name, value) for name, value in scope["headers"] if name not in _LENGTHS]
            headers.append((b"content-length", str(length).encode()))
            kept.seek(0)
            left = 0 if length > self.most else length

            async def replay() -> Message:
                nonlocal left
                if left <= 0:
                    return {"type": "http.request", "body": b"", "more_body": False}
                stretch = kept.read(_STRETCH)
                left -= len(stretch)
                return {"type": "http.request", "body": stretch, "more_body": left > 0}

            await self.app({**scope, "headers": headers}, replay, send)

    async def _take(self, kept: SpooledTemporaryFile[bytes], receive: Receive) -> int | None:
        length = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body = message.get("body", b"")
            length += len(body)
            if length <= self.most:
                kept.write(body)
            if not message.get("more_body", False) or length > self.most * _DRAINED:
                return length

    async def _outgoing(self, scope: Message, receive: Receive, send: Send) -> None:
        with SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
            first: Message = {}

            async def take(message: Message) -> None:
                if message["type"] == "http.response.start":
                    first.update(message)
                else:
                    kept.write(message.get("body", b""))

            await self.app(scope, receive, take)
            kept.seek(0)
            await send(first)
            while stretch := kept.read(_STRETCH):
                await send({"type": "http.response.body", "body": stretch, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
