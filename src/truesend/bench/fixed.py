"""A provider that answers everything right after 50 ms: ``python -m truesend.bench.fixed PORT FIRST``.

Always the same answer, which reads as an accepted send, a profile, a sent copy and a renewed key alike; it looks at
nothing but where a request ends. The first request with a body is kept in the file ``FIRST``, so that the mark can
send the same bytes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import cast

import uvloop

DELAY_SECONDS = 0.05
_BODY = json.dumps(
    {
        "id": "18c2f0a1b2c3d4e5",
        "threadId": "18c2f0a1b2c3d4e5",
        "labelIds": ["SENT"],
        "emailAddress": "ana@northwind.example",
        "historyId": "4711",
        "access_token": "ya29.a0" + "a" * 160,
        "refresh_token": "1//0" + "r" * 96,
        "token_type": "Bearer",
        "expires_in": 3599,
        "payload": {"headers": [{"name": "Message-ID", "value": "<bench@northwind.example>"}]},
    }
).encode()
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


class Answering(asyncio.Protocol):
    """One connection: reads a whole request, waits, answers."""

    def __init__(self, first: Path) -> None:
        self._first = first
        self._got = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        size = end + 4 + _length(bytes(self._got[:end]))
        if len(self._got) < size:
            return
        if self._got.startswith(b"POST ") and not self._first.exists():
            self._first.write_bytes(bytes(self._got[:size]))
        del self._got[:size]
        asyncio.get_running_loop().call_later(DELAY_SECONDS, self._answer)

    def _answer(self) -> None:
        if self._transport is not None:
            self._transport.write(_ANSWER)


def _length(head: bytes) -> int:
    start = head.lower().find(b"\r\ncontent-length:")
    return 0 if start < 0 else int(head[start + 17 :].partition(b"\r\n")[0])


async def serve(port: int, first: Path) -> None:
    """Answer until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(first), "127.0.0.1", port, backlog=2048)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
