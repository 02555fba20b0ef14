"""Listening sockets, bound before anything is started.

The supervisor holds them for its whole life and hands them to the parts as inherited descriptors: a taken
port is refused at once, and while a part restarts, connections wait in the queue instead of being refused.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from truesend.runtime.errors import Refused

BACKLOG = 2048
LOCALHOST = "localhost"


def listen(host: str, port: int, what: str) -> list[socket.socket]:
    """Sockets listening on ``host`` and ``port`` for ``what`` (a word for the message).

    ``localhost`` is 127.0.0.1 and, where this machine has it, ::1. SO_REUSEPORT is never set: with it two
    programs share a port in silence. Raises :class:`Refused` when the port is taken or the host is not ours.
    """
    if not 0 < port < 65536:
        raise Refused(f"There is no port {port} for the {what}; choose one between 1 and 65535.")
    opened: list[socket.socket] = []
    try:
        for family, address in _addresses(host, port, what):
            one = _open(family, address)
            if one is not None:
                opened.append(one)
    except OSError as error:
        close(opened)
        raise Refused(_sentence(error, host, port, what)) from None
    if not opened:
        raise Refused(f"The {what} cannot listen on {host}: this machine does not have that address.")
    return opened


def close(sockets: Iterable[socket.socket]) -> None:
    """Close our copies."""
    for one in sockets:
        one.close()


def adopt(fds: Iterable[int]) -> list[socket.socket]:
    """Listening sockets inherited from the supervisor; :class:`Refused` for any other descriptor."""
    adopted = []
    for fd in fds:
        try:
            one = socket.socket(fileno=fd)
            listening = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError:
            listening = 0
        if not listening:
            raise Refused(f"File descriptor {fd} is no listening socket.", code=2)
        one.set_inheritable(False)
        adopted.append(one)
    return adopted


def reachable_address(listening: socket.socket) -> tuple[str, int]:
    """Host and port by which this machine itself reaches a listening socket."""
    host, port = listening.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared, not bound


def _addresses(host: str, port: int, what: str) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    if host == LOCALHOST:  # by name it may be 127.0.0.1 only, or another address altogether
        return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise Refused(f"The {what} cannot listen on {host}: no such host.") from None
    return list(dict.fromkeys((family, (str(address[0]), port)) for family, _, _, _, address in found))


def _open(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket | None:
    """``None`` where the machine has no such address, which for ::1 is no error."""
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        if family == socket.AF_INET6:
            return None
        raise
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
    except OSError as error:
        one.close()
        if error.errno == errno.EADDRNOTAVAIL:
            return None
        raise
    return one


def _sentence(error: OSError, host: str, port: int, what: str) -> str:
    if error.errno == errno.EADDRINUSE:
        option = "--sandbox-port" if what == "sandbox" else "--port"
        return f"Port {port} for the {what} is taken by another program; choose another with {option}."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"Port {port} for the {what} is reserved for the system; choose one above 1023."
    return f"The {what} cannot listen on {host}, port {port}: {error.strerror}."
