"""A guard that lets tests talk to this machine only."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

_LOCAL_NAMES = {"localhost", "ip6-localhost", "", None}


class OutsideNetworkError(RuntimeError):
    """A test tried to leave the machine. No OSError, so that code expecting those cannot swallow it."""


def _is_local(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return str(host).endswith(".localhost")


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_local(address[0]):
            raise OutsideNetworkError(f"a test may not connect to {address[0]}")
    elif event == "socket.getaddrinfo" and not _is_local(arguments[0]):
        try:
            ipaddress.ip_address(arguments[0])  # a number is not looked up anywhere
        except ValueError:
            raise OutsideNetworkError(f"a test may not look up {arguments[0]}") from None


def loopback_only() -> None:
    """From now on, and for the rest of this process's life, connecting anywhere but loopback raises."""
    sys.addaudithook(_watch)
