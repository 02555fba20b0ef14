"""The web process: live events as bare ASGI, everything else Django in a fixed set of threads.

Django runs as WSGI on threads of our own: each keeps one database connection, so that the budget holds, and a
request that a browser abandons still runs to its end instead of being cancelled halfway.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truesend.settings")
django.setup()

from a2wsgi import WSGIMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

from truesend import env  # noqa: E402
from truesend.web import live  # noqa: E402
from truesend.web.bodies import Bodies  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# a2wsgi types its protocols more narrowly than Django and uvicorn do.
_wsgi: Any = get_wsgi_application()
_threads: Any = WSGIMiddleware(_wsgi, workers=env.number("WEB_THREADS"))
_django = Bodies(_threads, most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Route one connection."""
    if scope["type"] == "lifespan":
        await live.lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/api/v1/events":
        await live.stream(scope, receive, send)
    elif scope["type"] == "http":
        await _django(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1000})
