"""People with the pages open, as a process of its own: ``python -m truesend.bench.crowd``, its order as JSON on stdin.

A tab hears events as the front end does: on one of its kinds it waits 100 ms for more, then fetches its live part
again. All tabs count as visible, which a browser would not have. The order: ``{port, cookie, tabs: [{path, kinds}],
streams}``. It prints ``open`` once every stream is, and a report when stdin is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from typing import Any

_GATHER = 0.1
_PATIENCE = 30.0
_ENDING = 1.0


@dataclass
class Report:
    """What the crowd has seen: events over all tabs, their fetches, and streams that the server has ended."""

    opened: int = 0
    events: int = 0
    fetches: int = 0
    failed: int = 0
    ended: int = 0


class Crowd:
    """All open streams of one signed-in browser."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._port: int = order["port"]
        self._head = f"Host: localhost:{order['port']}\r\nCookie: {order['cookie']}\r\n"
        self._tabs: list[dict[str, Any]] = order["tabs"]
        self._streams: int = order["streams"]
        self._all_open = asyncio.Event()
        self.report = Report()

    async def run(self) -> None:
        """Open everything, say so, and stay until stdin is closed."""
        tasks = [asyncio.create_task(self._tab(tab)) for tab in self._tabs]
        tasks += [asyncio.create_task(self._listen(None)) for _ in range(self._streams)]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_open.wait(), _PATIENCE)
        print("open" if self._all_open.is_set() else f"only {self.report.opened}", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tab(self, tab: dict[str, Any]) -> None:
        heard = asyncio.Event()
        listening = asyncio.create_task(self._listen((heard, {f"event: {kind}" for kind in tab["kinds"]})))
        fetching = asyncio.create_task(self._fetch_when(heard, tab["path"]))
        try:
            await listening
        finally:
            fetching.cancel()
            listening.cancel()

    async def _listen(self, tab: tuple[asyncio.Event, set[str]] | None) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(f"GET /api/v1/events HTTP/1.1\r\n{self._head}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head or b"text/event-stream" not in head:
                return
            self.report.opened += 1
            if self.report.opened == self._streams + len(self._tabs):
                self._all_open.set()
            while line := await reader.readline():
                if tab is not None and line.decode().strip() in tab[1]:
                    self.report.events += 1
                    tab[0].set()
            self.report.ended += 1
        except (OSError, asyncio.IncompleteReadError):
            self.report.ended += 1
        finally:
            writer.close()

    async def _fetch_when(self, heard: asyncio.Event, path: str) -> None:
        while True:
            await heard.wait()
            await asyncio.sleep(_GATHER)
            heard.clear()
            try:
                right = await self._fetch(path)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                right = False
            if not right:
                # One that the server's end cut off says nothing about serving: its streams end at that moment too.
                await asyncio.sleep(_ENDING)
                if self.report.ended:
                    return
            self.report.fetches += 1
            self.report.failed += not right

    async def _fetch(self, path: str) -> bool:
        """Fetch a live part: whether it came as a 200."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(
                f"GET {path} HTTP/1.1\r\n{self._head}Connection: close\r\nHX-Request: true\r\n\r\n".encode()
            )
            answer = await reader.read()
            return answer.startswith(b"HTTP/1.1 200")
        finally:
            writer.close()


async def main() -> None:
    """Read the order, open, report."""
    crowd = Crowd(json.loads(sys.stdin.readline()))
    await crowd.run()
    print(json.dumps(vars(crowd.report)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
