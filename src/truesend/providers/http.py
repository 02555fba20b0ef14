"""The one outbound door: every call to a provider passes here.

It owns timeouts, never retries, never follows a redirect, limits what it reads, and tells at which stage a call
died, because only "no connection was made" proves that nothing was sent.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from truesend import clock, env
from truesend.providers import wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

# A provider closes idle connections at a time of its own; one that is about to die would leave a send unknown.
IDLE_LIMIT_SECONDS = 4.0
CONNECT_TIMEOUT_SECONDS = 8.0
SLOWEST_BYTES_PER_SECOND = 250_000
LARGEST_ANSWER_BYTES = 60 * 1024 * 1024

Stage = Literal["connect", "sent"]


class TransportError(Exception):
    """No usable answer. ``stage`` is ``connect`` when no byte can have left, else ``sent``."""

    def __init__(self, stage: Stage, cause: str, words: str) -> None:
        super().__init__(words)
        self.stage: Stage = stage
        self.cause = cause
        self.words = words


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    milliseconds: int

    def json(self) -> Any:
        """The decoded body, or ``None`` when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def words(self) -> str:
        """The provider's own words, shortened and without secrets."""
        return redact(" ".join(self.body[:2000].decode("utf-8", "replace").split()))[:300]


class _Call(threading.local):
    """The call this thread makes: its fence, its end, and whether a byte of it may have left."""

    check: Callable[[], None] | None = None
    deadline: float = 0.0
    connected: bool = False


_call = _Call()


class _Reply(HTTPResponse):
    """An answer that is read until the call's end, headers and all."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", wire.Incoming(sock, _call.deadline)), *args, **kwargs)


class _DoorMixin:
    """Connects first, asks the fence, and only then lets the first byte out; none leaves after the call's end."""

    response_class: Any = _Reply
    sock: Any
    returned_at: float = 0.0

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        if _call.check is not None:
            check, _call.check = _call.check, None
            check()
        try:
            wire.remaining(_call.deadline)
            _call.connected = True
            wire.push(self.sock, data, _call.deadline)
        except TimeoutError as error:
            raise urllib3.exceptions.TimeoutError(str(error)) from None


class _Connection(_DoorMixin, HTTPConnection):
    pass


class _SecureConnection(_DoorMixin, HTTPSConnection):
    pass


class _FreshPoolMixin:
    """Drops a connection that was idle for longer than the limit."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        conn: Any = super()._get_conn(timeout=timeout)  # type: ignore[misc]
        if conn.sock is not None and clock.steady() - conn.returned_at > IDLE_LIMIT_SECONDS:
            conn.close()
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.returned_at = clock.steady()
            if conn.sock is not None:
                with suppress(OSError):
                    wire.release(conn.sock)
        super()._put_conn(conn)  # type: ignore[misc]


class _Pool(_FreshPoolMixin, HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(_FreshPoolMixin, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_pools = urllib3.PoolManager(num_pools=32, maxsize=64, block=False)
_pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def total_timeout(body_bytes: int) -> float:
    """Seconds that a call may take from its beginning to the last byte of its answer: a large body needs longer."""
    return env.number("HTTP_TIMEOUT") + body_bytes / SLOWEST_BYTES_PER_SECOND


def request(
    method: str,
    url: str,
    *,
    operation: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float | None = None,
    fence: Callable[[], None] | None = None,
) -> Answer:
    """Make one call and return its complete answer, whatever its status.

    ``timeout`` is the end of all of it, connection, body and answer, in seconds from now; by default
    :func:`total_timeout` of the body. After it no byte leaves, whatever held the process up. ``fence`` runs after
    the connection stands and before the first byte; what it raises passes through.
    Raises :class:`TransportError` otherwise.
    """
    seconds = timeout or total_timeout(len(body or b""))
    place = urlsplit(url)
    started = time.monotonic()
    _call.check, _call.connected, _call.deadline = fence, False, clock.steady() + seconds
    try:
        response = _pools.connection_from_host(place.hostname, place.port, place.scheme).urlopen(
            method,
            f"{place.path or '/'}?{place.query}" if place.query else place.path or "/",
            headers={"User-Agent": "Truesend", "Accept-Encoding": "identity", **(headers or {})},
            body=body,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_SECONDS, seconds), read=seconds),
        )
        content = _read(response)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        failure = _transport_error(error)
        _count(operation, place.hostname or "", failure.cause, started)
        raise failure from None
    finally:
        _call.check = None
    answer = Answer(response.status, response.headers, content, int((time.monotonic() - started) * 1000))
    _count(operation, place.hostname or "", f"{answer.status // 100}xx", started)
    return answer


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    """The whole body; one that never ends is cut off."""
    chunks: list[bytes] = []
    size = 0
    clean = False
    try:
        for chunk in response.stream(65536, decode_content=False):
            size += len(chunk)
            chunks.append(chunk)
            if size > LARGEST_ANSWER_BYTES:
                raise urllib3.exceptions.ProtocolError("the answer is larger than any real one")
        clean = True
    finally:
        if clean:
            response.release_conn()
        else:
            response.close()
    return b"".join(chunks)


def _transport_error(error: Exception) -> TransportError:
    stage: Stage = "sent" if _call.connected else "connect"
    # A refused connection is a TimeoutError too, in urllib3's family of errors.
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    if isinstance(error, (urllib3.exceptions.TimeoutError, TimeoutError)) and not refused:
        return TransportError(stage, "provider_timeout", "No answer in time.")
    if stage == "connect":
        return TransportError(stage, "provider_unreachable", "No connection could be made.")
    return TransportError(stage, "provider_cut_off", "The connection broke before an answer came.")


# What OAuth and bearer secrets look like on the wire, in URLs, JSON and headers.
_SECRETS = re.compile(
    r"(?ix) (?: (?P<name> [\"']? \b (?: access_token|refresh_token|id_token|client_secret|code_verifier|code|token|"
    r"assertion|password ) [\"']? \s* [=:] \s* [\"']? ) (?P<value> [^\s\"'&,}]{6,} ) )"
    r" | (?P<bearer> Bearer \s+ ) [A-Za-z0-9._~+/=-]+ | ya29\.[\w.-]+ | 1//[\w-]{8,} | eyJ[\w-]{8,}\.[\w.-]+"
    r" | \b [A-Z]+AK - [\w.-]{8,} | \b (?:[sr]k_(?:test|live)|whsec)_[\w-]{4,}"
)


def redact(text: str) -> str:
    """``text`` without anything that looks like a token, code or secret, and fit to be stored and shown.

    PostgreSQL takes no NUL, nothing takes a lone surrogate, and JSON can carry both.
    """
    clean = "".join(c if c.isprintable() else " " for c in text)
    return _SECRETS.sub(lambda m: (m["name"] or m["bearer"] or "") + "[removed]", clean)


_metrics_lock = threading.Lock()
_metrics: dict[tuple[str, str, str], list[float]] = {}


def _count(operation: str, host: str, result: str, started: float) -> None:
    with _metrics_lock:
        row = _metrics.setdefault((operation, host, result), [0, 0.0])
        row[0] += 1
        row[1] += time.monotonic() - started


def metrics() -> dict[tuple[str, str, str], tuple[int, float]]:
    """Calls and their seconds so far in this process, by (operation, host, result)."""
    with _metrics_lock:
        return {key: (int(row[0]), row[1]) for key, row in _metrics.items()}


@contextmanager
def quiet_pools() -> Iterator[None]:
    """Close every idle connection afterwards; for tests and short commands."""
    try:
        yield
    finally:
        _pools.clear()


def form(fields: Mapping[str, str]) -> bytes:
    """``fields`` as an urlencoded body."""
    return urlencode(fields).encode()
