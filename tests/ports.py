"""Ports that nobody uses, for processes that tests start beside each other."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _ORDINARY = 12_000, 32_768


def free_ports(count: int) -> list[int]:
    """So many neighbouring ports that nobody listens on, on either loopback.

    They lie below those that the kernel gives to outgoing connections: thousands of these come and go, and one that
    took our port between this look and the start of the process would make that refuse its port.
    """
    end = _first_of_outgoing()
    dice = random.SystemRandom()  # runs and workers beside each other must not look in the same order
    while True:
        first = dice.randrange(_LOWEST, end - count)
        ports = list(range(first, first + count))
        if all(_is_free(port) for port in ports):
            return ports


def _first_of_outgoing() -> int:
    try:
        first = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError):
        return _ORDINARY
    return first if first > _LOWEST + 1_000 else _ORDINARY


def _is_free(port: int) -> bool:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", port))
    except OSError as error:
        return "assign" in str(error)  # a machine without ::1
    return True
