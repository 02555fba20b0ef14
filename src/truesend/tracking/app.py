"""The tracker: a bare ASGI application that answers pixels, links and who unsubscribes.

No database, no Django and no cookie is on the way of a request: the token says everything. A hit is answered
when it stands in this process's segment; another process carries it to PostgreSQL (:mod:`truesend.tracking.loader`).
"""

from __future__ import annotations

import functools
import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from truesend import clock, env, vouching
from truesend.blocklist.files import Followed, path_in
from truesend.tracking import answers, records, tokens
from truesend.tracking.addresses import bare, said_address
from truesend.tracking.loader import state_of
from truesend.tracking.losses import Losses
from truesend.tracking.segments import Segments, folder_in
from truesend.tracking.unsubscribe import PATH, Unsubscribes
from truesend.tracking.writer import Writer

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawHeaders = Iterable[tuple[bytes, bytes]]

_KEPT = {
    name.encode(): (position, records.FIELD_LIMITS.get(name, 256))
    for position, name in enumerate(records.FIELDS)
    if position != records.IP
}
_FORWARDED = -1
_KEPT[b"x-forwarded-for"] = (_FORWARDED, 512)


class Attended(Protocol):
    """A process that runs beside the tracker as long as it does, and is started again when it dies."""

    def start(self) -> None:
        """Start it, from the event loop of the main thread."""

    async def stop(self) -> None:
        """Have it end in good order."""


class Tracker:
    """The application. ``trust_forwarded``: believe ``X-Forwarded-For`` of a loopback peer (dev); ``proxies``: of so
    many proxies in front.

    ``beside`` are the processes it keeps running: first what loads its hits, which ends last, then others that answer
    as it does. Without one that loads, hits are kept for later.
    """

    def __init__(
        self,
        *,
        keys: tokens.Keys,
        data: Path,
        trust_forwarded: bool = False,
        proxies: int = 0,
        has_database: bool = False,
        beside: Sequence[Attended] = (),
    ) -> None:
        self._verifier = tokens.Verifier(keys)
        self._newest = keys[0][1]
        self._segments = folder_in(data)
        self._blocklist = Followed(path_in(data))
        self._unsubscribes = Unsubscribes(keys, data)
        self._trust_forwarded = trust_forwarded
        self._proxies = proxies
        self._has_database = has_database
        self._beside = tuple(beside)
        self._writer: Writer | None = None
        self._losses: Losses | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            answer, safe = self._answer(scope)
            if answer is None:
                await self._unsubscribes(scope, receive, send)
                return
            if safe is not None:
                await safe
            head, body = answer
            await send(head)
            await send(answers.EMPTY if scope["method"] == "HEAD" else body)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    def start(self) -> None:
        """Begin to take hits; needs a running event loop. ``OSError``: the folder cannot be used."""
        segments = Segments(self._segments)
        self._losses = Losses(self._segments.with_name("losses"), segments.process)
        self._writer = Writer(segments, self._losses)
        self._blocklist.start()
        self._unsubscribes.start()
        for one in self._beside:
            one.start()

    async def stop(self) -> None:
        """Write what is left and, if the database answers, have it loaded."""
        self._blocklist.stop()
        self._unsubscribes.stop()
        if self._writer:
            await self._writer.close()
        for one in reversed(self._beside):
            await one.stop()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    self.start()
                except OSError as error:
                    reason = f"The tracking folder cannot be used: {error.strerror}."
                    await send({"type": "lifespan.startup.failed", "message": reason})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _answer(self, scope: Scope) -> tuple[answers.Answer | None, Awaitable[None] | None]:
        """The answer, and what it has to wait for; none where an unsubscribe link answers for itself."""
        path: str = scope["path"]
        if path.startswith("/t/o/"):
            return self._hit(scope, path[5:].removesuffix(".gif"), click=False)
        if path.startswith("/t/c/"):
            return self._hit(scope, path[5:], click=True)
        if path.startswith(PATH):
            return None, None
        if path == "/healthz":
            return answers.plain(200, self._health(scope["query_string"]), b"application/json"), None
        return answers.NOT_FOUND, None

    def _hit(self, scope: Scope, token: str, *, click: bool) -> tuple[answers.Answer, Awaitable[None] | None]:
        method = scope["method"]
        if method not in records.METHODS:
            return answers.WRONG_METHOD, None
        try:
            delivery, link, target = self._verifier.read(token)
        except tokens.UnknownKeyError:
            return answers.KEY_REMOVED, None
        except tokens.TokenError:
            return answers.NOT_VALID, None
        if click == (link is None):
            return answers.NOT_VALID, None
        if click and (blocked := self._blocklist.current) is not None and blocked.blocks(delivery, target):
            return answers.BLOCKED, None
        safe = None
        if self._writer is not None:
            safe = self._writer.append(
                records.pack(
                    kind=int(click),
                    method=int(method == "HEAD"),
                    at=clock.timestamp(),
                    link=link,
                    delivery=delivery,
                    fields=self._fields(scope),
                )
            )
        return answers.redirect(target) if click else answers.PIXEL, safe

    def _fields(self, scope: Scope) -> bytes:
        """What is kept of a request: the client's address and some headers, each cut to its limit."""
        client = scope.get("client")
        address = client[0] if client else ""
        fields: list[bytes] = []
        forwarded = b""
        headers: RawHeaders = scope["headers"]
        for name, value in headers:
            kept = _KEPT.get(name)
            if kept is None:
                continue
            position, limit = kept
            if position == _FORWARDED:
                # A proxy may add a line of its own instead of a word to the last one.
                forwarded = (forwarded + b"," + value if forwarded else value)[-limit:]
            elif len(fields) < len(records.FIELDS):
                fields.append(records.field(position, value[:limit]))
        if forwarded and (self._proxies or self._trust_forwarded):
            address = said_address(
                address,
                forwarded.decode("latin-1"),
                trust_forwarded=self._trust_forwarded,
                proxies=self._proxies,
            )
        return _address(address) + b"".join(fields)

    def _health(self, query: bytes) -> bytes:
        told: dict[str, object] = {
            "ok": True,
            "lost": self._losses.count if self._losses else 0,
            "waiting": self._writer.waiting if self._writer else 0,
            "database": state_of(self._segments) if self._has_database else "off",
        }
        vouched = vouching.vouch(self._newest, query.decode("latin-1").partition("vouch=")[2])
        return json.dumps({**told, "vouch": vouched} if vouched else told).encode()


@functools.lru_cache(maxsize=4096)
def _address(address: str) -> bytes:
    """The field of an address in its one spelling (IPv4 also where it came mapped into IPv6), empty when it is none."""
    try:
        parsed = ipaddress.ip_address(bare(address.partition("%")[0]))
    except ValueError:
        return records.field(records.IP, b"")
    mapped = getattr(parsed, "ipv4_mapped", None)
    return records.field(records.IP, str(mapped or parsed).encode())


def from_environment(beside: Sequence[Attended] = ()) -> Tracker:
    """The tracker as the settings say. Without a database address it answers and keeps hits for later."""
    env.refuse_unsafe()
    return Tracker(
        keys=env.link_keys(),
        data=env.data_dir(),
        trust_forwarded=env.environment() == "dev",
        proxies=env.trusted_proxies(),
        has_database=env.get("DATABASE_URL") is not None,
        beside=beside,
    )
