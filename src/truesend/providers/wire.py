"""Bytes on a socket, each within one call's own time.

A process that was stopped in the middle of a call and wakes after its end must let no further byte out, and what it had
already handed to the system must not travel on for minutes: a mail that arrives after its absence was proved would be
sent twice.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import struct
from typing import Any

from truesend import clock

PIECE_BYTES = 256 * 1024
_OVER = "the call's time is over"
_RESET = struct.pack("ii", 1, 0)
_ORDERLY = struct.pack("ii", 0, 0)
# Linux (since 2.6.37): milliseconds after which the system gives up on bytes that were not acknowledged.
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)


def remaining(deadline: float) -> float:
    """Seconds until ``deadline`` (of :func:`truesend.clock.steady`). Raises :class:`TimeoutError` when it is over."""
    left = deadline - clock.steady()
    if left <= 0:
        raise TimeoutError(_OVER)
    return left


def push(sock: Any, data: bytes, deadline: float) -> None:
    """Hand ``data`` to the system in pieces, the time looked at before each.

    Raises :class:`TimeoutError` once the deadline has passed, without another byte. Never waits inside of a send: a
    process that is stopped there would send what it holds when it wakes. Where the process dies, or the connection is
    closed before :func:`release`, the system drops what it has not sent; where it is stopped, the system gives up on
    what nobody acknowledges by the deadline.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.settimeout(0.0)
    view = memoryview(data).cast("B")
    while view:
        left = remaining(deadline)
        if _USER_TIMEOUT is not None:
            sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(left * 1000)))
        try:
            view = view[sock.send(view[:PIECE_BYTES]) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            _wait(sock, select.POLLOUT, left)
        except ssl.SSLWantReadError:
            _wait(sock, select.POLLIN, left)


def release(sock: Any) -> None:
    """The call has its answer: the connection may end in an orderly way."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ORDERLY)


def _wait(sock: Any, event: int, seconds: float) -> None:
    poll = select.poll()
    poll.register(sock, event)
    poll.poll(seconds * 1000)


class Reader(io.RawIOBase):
    """What comes from ``sock``; :class:`TimeoutError` at the deadline, however the bytes drip.

    What had come by then is still read, by a process that was stopped and wakes late: it tells what became of the call.
    """

    def __init__(self, sock: Any, deadline: float) -> None:
        self._sock = sock
        self._raw: Any = sock.makefile("rb", buffering=0)
        self._deadline = deadline
        self._late_bytes = PIECE_BYTES

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As many bytes as have come, at least one; 0 at the end."""
        left = self._deadline - clock.steady()
        if left <= 0 and self._late_bytes <= 0:
            raise TimeoutError(_OVER)
        self._sock.settimeout(max(0.0, left))
        try:
            count: int | None = self._raw.readinto(buffer)
        except ssl.SSLWantReadError:
            count = None
        if count is None:
            raise TimeoutError(_OVER)
        if left <= 0:
            self._late_bytes -= count
        return count

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class Incoming:
    """A socket as an HTTP response wants it: something to make a file of."""

    def __init__(self, sock: Any, deadline: float) -> None:
        self._reader = Reader(sock, deadline)

    def makefile(self, mode: str) -> io.BufferedReader:
        """The buffered file, always for reading."""
        return io.BufferedReader(self._reader)
