"""Many open event streams, held by one thread."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Streams:
    """Open streams and what each has received."""

    received: list[bytes] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)

    def opened(self) -> int:
        """How many were answered as an event stream."""
        return sum(b"text/event-stream" in one for one in self.received)

    def count(self, words: bytes) -> int:
        """How many have received ``words``."""
        return sum(words in one for one in self.received)


@contextmanager
def open_streams(url: str, bearer: str, count: int) -> Iterator[Streams]:
    """``count`` streams of ``/api/v1/events``, read until the block ends."""
    parts = urlsplit(url)
    streams = Streams([b""] * count)
    poll = selectors.DefaultSelector()
    sockets = []
    for number in range(count):
        one = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20)
        one.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {bearer}\r\n\r\n".encode()
        )
        one.setblocking(False)
        poll.register(one, selectors.EVENT_READ, number)
        sockets.append(one)
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            for key, _ in poll.select(0.1):
                try:
                    chunk = key.fileobj.recv(65536)  # type: ignore[union-attr]
                except OSError:
                    chunk = b""
                if chunk:
                    streams.received[key.data] += chunk
                else:
                    streams.ended.add(key.data)
                    poll.unregister(key.fileobj)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    end = time.monotonic() + 30
    while streams.opened() < count and time.monotonic() < end:
        time.sleep(0.05)
    try:
        yield streams
    finally:
        over.set()
        reader.join()
        poll.close()
        for one in sockets:
            one.close()
