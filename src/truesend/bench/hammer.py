"""One process of our own load generator: ``python -m truesend.bench.hammer``, its order as a line of JSON.

The order: ``{port, paths, connections, seconds | count, agent, headers}``. The report: ``{seconds, failed, times}``,
``times`` counting answers by bucket of :data:`truesend.bench.load.BUCKET_MS`.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast

import uvloop

from truesend.bench.load import BUCKET_MS

_STALLED = 20.0
_LONGEST = 120.0
"""Seconds for a given number of requests."""


class Hammer:
    """What all connections share: which request is next, and what came back."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._paths = Path(order["paths"]).read_text(encoding="ascii").split()
        self._next = random.randrange(len(self._paths))  # noqa: S311 - where to begin
        self._left: int | None = order["count"]
        self._agent: str | None = order["agent"]
        headers = dict(order["headers"])
        if self._agent is not None:
            del headers["User-Agent"]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = f" HTTP/1.1\r\nHost: 127.0.0.1:{order['port']}\r\n{lines}"
        self._numbered = 0
        self.over = False
        self.failed = 0
        self.times: Counter[int] = Counter()

    def request(self) -> bytes | None:
        """The next one; ``None`` when there is nothing left to ask."""
        if self.over or self._left == 0:
            return None
        if self._left is not None:
            self._left -= 1
        self._next = (self._next + 1) % len(self._paths)
        agent = ""
        if self._agent is not None:
            agent = f"User-Agent: {self._agent}-{self._numbered}\r\n"
            self._numbered += 1
        return f"GET {self._paths[self._next]}{self._head}{agent}\r\n".encode()


class Asking(asyncio.Protocol):
    """One connection: asks, waits for the whole answer, asks again."""

    def __init__(self, hammer: Hammer) -> None:
        self._hammer = hammer
        self._got = b""
        self._since = 0.0
        self._waiting = False
        self._transport: asyncio.Transport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class, which is no subclass
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._got = b""
        if head[9:10] in {b"2", b"3"}:
            self._hammer.times[int((time.perf_counter() - self._since) * 1000 / BUCKET_MS)] += 1
        else:
            self._hammer.failed += 1
        self._waiting = False
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting and not self._hammer.over:
            self._hammer.failed += 1
        if not self.ended.done():
            self.ended.set_result(None)

    def _ask(self) -> None:
        assert self._transport is not None
        request = self._hammer.request()
        if request is None:
            self._transport.close()
            return
        self._waiting, self._since = True, time.perf_counter()
        self._transport.write(request)


def _length(head: bytes) -> int:
    start = head.lower().find(b"\r\ncontent-length:")
    if start < 0:
        return 0
    return int(head[start + 17 :].partition(b"\r\n")[0])


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Carry out an order: the report."""
    hammer = Hammer(order)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = await asyncio.gather(
        *(
            loop.create_connection(lambda: Asking(hammer), "127.0.0.1", order["port"])
            for _ in range(order["connections"])
        )
    )
    endings = [protocol.ended for _, protocol in made]
    if order["seconds"] is not None:
        await asyncio.sleep(order["seconds"])
        hammer.over = True
    seconds = time.perf_counter() - began
    _, late = await asyncio.wait(endings, timeout=_STALLED if order["seconds"] is not None else _LONGEST)
    if order["seconds"] is None:
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "failed": hammer.failed + len(late), "times": dict(hammer.times)}


def main() -> None:
    """Read the order, print the report."""
    order = json.loads(sys.stdin.readline())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(run(order))), flush=True)


if __name__ == "__main__":
    main()
