"""The mark for the tracker: an ASGI application that answers 43 bytes to everything and does nothing else.

``python -m truesend.bench.bare PORT`` serves it with the server and the settings that the tracker has.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from truesend.tracking.answers import GIF

_HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"image/gif"), (b"content-length", b"%d" % len(GIF))],
}
_BODY = {"type": "http.response.body", "body": GIF}


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer."""
    if scope["type"] == "http":
        await send(_HEAD)
        await send(_BODY)
        return
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    from truesend.runtime.server import serve

    serve(application, port=int(sys.argv[1]), what="bench")
