"""Live events as bare ASGI: one short look at who is asking, the connection returned, then only memory.

``GET /api/v1/events`` (Bearer or session) answers `event: verdict|email|signal|account` with
``data: {"id", "at"}``: hints without replay. One listener per process hears PostgreSQL and fans out.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import DatabaseError, close_old_connections
from django.utils.crypto import constant_time_compare

from truesend import clock, env, refusals
from truesend.live_events import CHANNEL
from truesend.organizations import second_factor, sessions
from truesend.organizations.access import member_by_token, member_of
from truesend.organizations.models import Member, User
from truesend.web import standstill

log = logging.getLogger("truesend.live")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

COMMENT_EVERY_SECONDS = 15.0
# A reader that slow has lost its place anyway: it reconnects and reads again.
_QUEUE_LENGTH = 500
# Several hints about one account are one look at who still reads.
_GATHER_SECONDS = 0.1
# Between two looks at a session that is about to end, or at a database that is away.
_AGAIN_SECONDS = 1.0

# The open ones by organization, each with the request it came by: who asks may be let in no more.
_streams: dict[str, dict[asyncio.Queue[bytes | None], Scope]] = defaultdict(dict)
_looking: dict[str, asyncio.Task[None]] = {}
_lookups = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live-lookup")
_state: dict[str, Any] = {"listener": None, "closing": False, "loop": None, "accounts": 0}


async def lifespan(receive: Receive, send: Send) -> None:
    """Start the listener and the watch over the worker with the server, and stop them with it."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _state["loop"] = asyncio.get_running_loop()
            _state["listener"] = asyncio.create_task(_listen())
            standstill.watch.start(_tell_everybody)
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            _end_streams()
            standstill.watch.stop()
            listener = _state["listener"]
            if listener is not None:
                listener.cancel()
                with suppress(asyncio.CancelledError):
                    await listener
            await send({"type": "lifespan.shutdown.complete"})
            return


def close_streams() -> None:
    """End every open stream; called from the signal handler before the server waits for open answers."""
    loop = _state["loop"]
    if loop is not None:
        loop.call_soon_threadsafe(_end_streams)


def _end_streams() -> None:
    _state["closing"] = True
    for queues in _streams.values():
        for queue in queues:
            _put(queue, None)


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """One open page: events of its organization until it goes away, may not hear them any more or the server stops."""
    heard = _state["accounts"]
    try:
        member, barred, ends_in = await _looked(scope)
    except DatabaseError:
        await _plain(send, refusals.DATABASE)
        return
    if scope["method"] != "GET":
        await _plain(send, refusals.METHOD_NOT_ALLOWED, "GET only.")
        return
    if member is None:
        await _plain(send, refusals.NOT_SIGNED_IN, "Sign in, or send a bearer token.")
        return
    if barred:
        await _plain(send, refusals.SECOND_FACTOR)
        return
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUE_LENGTH)
    key = str(member.organization_id)
    _streams[key][queue] = scope
    if _state["closing"]:
        _put(queue, None)
    if heard != _state["accounts"]:
        # What changed while we asked who it is was said before there was anybody to drop.
        _look_again(key)
    gone = asyncio.create_task(_wait_until_gone(receive))
    try:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                    # A stream that ends takes its connection with it: nobody waits for more on it.
                    (b"connection", b"close"),
                ],
            }
        )
        await send({"type": "http.response.body", "body": b"retry: 1000\n: open\n\n", "more_body": True})
        await _pump(queue, gone, send, _Until(scope, key, ends_in))
    finally:
        gone.cancel()
        _streams[key].pop(queue, None)
        if not _streams[key]:
            _streams.pop(key, None)


class _Until:
    """When the session that a stream was opened by ends: as the last look said; each use has moved it since."""

    def __init__(self, scope: Scope, organization: str, ends_in: float) -> None:
        self._scope = scope
        self._organization = organization
        self._at = asyncio.get_running_loop().time() + ends_in

    def seconds(self) -> float:
        """Until the next look."""
        return max(self._at - asyncio.get_running_loop().time(), 0.0)

    async def is_over(self) -> bool:
        """Whether it has ended; the database is asked only once it should have, by the last look."""
        if self.seconds() > 0:
            return False
        ends_in = 0.0
        with suppress(DatabaseError):
            member, barred, ends_in = await _looked(self._scope)
            if member is None or barred or str(member.organization_id) != self._organization:
                return True
        self._at = asyncio.get_running_loop().time() + max(ends_in, _AGAIN_SECONDS)
        return False


async def _pump(
    queue: asyncio.Queue[bytes | None], gone: asyncio.Task[None], send: Send, until: _Until
) -> None:
    while not gone.done() and not await until.is_over():
        getting = asyncio.create_task(queue.get())
        wait = min(COMMENT_EVERY_SECONDS, until.seconds())
        done, _ = await asyncio.wait({getting, gone}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        if getting not in done:
            getting.cancel()
            if not done:
                await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})
            continue
        event = getting.result()
        if event is None:
            break
        await send({"type": "http.response.body", "body": event, "more_body": True})
    if not gone.done():
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _plain(send: Send, refusal: refusals.Refusal, sentence: str = "") -> None:
    body = json.dumps(refusals.document(refusal, sentence=sentence)).encode()
    headers = [
        (b"content-type", refusals.MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if refusal is refusals.NOT_SIGNED_IN:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _put(queue: asyncio.Queue[bytes | None], event: bytes | None) -> None:
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        event = None
    queue.put_nowait(event)


async def _listen() -> None:
    """Hear PostgreSQL for as long as the process lives; what was missed, pages read again on reconnecting."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                env.database_url(), autocommit=True
            ) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                async for notice in connection.notifies():
                    _fan_out(notice.payload)
        except (psycopg.Error, OSError) as error:
            log.warning("The live listener lost the database (%s); connecting again.", type(error).__name__)
            _drop_readers()
            await asyncio.sleep(1)


def _drop_readers() -> None:
    """Hints may have been missed: let every page reconnect and read again."""
    for queues in _streams.values():
        for queue in queues:
            _put(queue, None)


def _fan_out(payload: str) -> None:
    try:
        hint = json.loads(payload)
        organization, kind, ids = hint["o"], hint["k"], hint["i"]
    except (ValueError, KeyError, TypeError):
        return
    _state["accounts"] += kind == "account"
    queues = _streams.get(organization)
    if not queues:
        return
    at = clock.now().isoformat().replace("+00:00", "Z")
    events = b"".join(f"event: {kind}\ndata: {json.dumps({'id': one, 'at': at})}\n\n".encode() for one in ids)
    for queue in list(queues):
        _put(queue, events)
    if kind == "account":
        _look_again(organization)


def _look_again(organization: str) -> None:
    """Something about an account has changed: roles, sessions, what is asked of whom. Ask each reader's rights anew."""
    if organization not in _looking or _looking[organization].done():
        _looking[organization] = asyncio.get_running_loop().create_task(_drop_the_barred(organization))


async def _drop_the_barred(organization: str) -> None:
    await asyncio.sleep(_GATHER_SECONDS)
    # From here on a new hint begins another look.
    _looking.pop(organization, None)
    for queue, scope in list(_streams.get(organization, {}).items()):
        try:
            member, barred, _ = await _looked(scope)
        except DatabaseError:
            member, barred = None, True  # whoever may still read comes back, and is asked then
        if member is None or barred or str(member.organization_id) != organization:
            _put(queue, None)


def _tell_everybody() -> None:
    """Something that concerns every page has changed here: each organization hears of its own account."""
    loop = _state["loop"]
    if loop is not None:
        loop.call_soon_threadsafe(_fan_out_to_all)


def _fan_out_to_all() -> None:
    for organization in list(_streams):
        _fan_out(json.dumps({"o": organization, "k": "account", "i": [organization]}))


async def _looked(scope: Scope) -> tuple[Member | None, bool, float]:
    return await asyncio.get_running_loop().run_in_executor(_lookups, _asking, scope)


def _asking(scope: Scope) -> tuple[Member | None, bool, float]:
    """Who is asking, whether they must set up a second factor first, and in how many seconds it ends by itself."""
    member, ends_in = _member(scope)
    return member, member is not None and second_factor.is_missing(member), ends_in


def _member(scope: Scope) -> tuple[Member | None, float]:
    """Who is asking, by bearer token or session; runs in a thread with a connection of its own."""
    close_old_connections()
    headers = {name.lower(): value for name, value in scope["headers"]}
    authorization = headers.get(b"authorization", b"").decode("latin-1")
    if authorization.lower().startswith("bearer "):
        return member_by_token(authorization[7:].strip()), math.inf
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return None, 0.0
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    found = sessions.living(morsel.value) if morsel else None
    if found is None:
        return None, 0.0
    session, ends_at = found
    return _member_by_session(session), (ends_at - clock.real_now()).total_seconds()


def _member_by_session(session: dict[str, Any]) -> Member | None:
    user_id, backend = session.get(SESSION_KEY), session.get(BACKEND_SESSION_KEY)
    if user_id is None or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not constant_time_compare(
        session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    ):
        return None
    return member_of(user)
