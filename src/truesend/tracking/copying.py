"""Hits as rows of PostgreSQL's binary COPY, made straight from payloads. Pure.

A thousand hits come from few programs and few addresses: what a row says of those is made once and kept. The format is
that of "COPY", section "Binary Format", in PostgreSQL's manual; values are as its types send them.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from truesend.tracking import records
from truesend.tracking.addresses import network_of

COLUMNS = ("at", "delivery", "link", "kind", "method", "ip", "network", "user_agent", "headers", "count")
"""The order of the values in a row."""

_BEGIN = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_END = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_ONE = struct.pack(">ii", 4, 1)
# The number of values, then each with its length: at, delivery, link.
_OPEN = struct.Struct(">hiqi16si")
_CLICK = struct.Struct(">hiqi16sii")
_EPOCH = 946_684_800  # 2000-01-01, from which PostgreSQL counts microseconds
_INET_FAMILY = {4: 2, 6: 3}
_JSONB_VERSION = b"\x01"

Key = tuple[bytes, bytes, bytes, bytes]
"""What makes hits identical: kind and method, link and delivery, the client's address, the user agent."""


class Hit(NamedTuple):
    """One hit: ``at`` in seconds since 1970, ``row`` for COPY with a count of 1, ``payload`` as it was kept."""

    key: Key
    at: float
    row: bytes
    payload: bytes


def read(payloads: Iterable[bytes]) -> Iterator[Hit]:
    """Every payload's hit."""
    for payload in payloads:
        kind, method, at, link, delivery = records.FIXED.unpack_from(payload)
        address, rest = records.split(payload)
        agent, program = _program(rest)
        when = round((at - _EPOCH) * 1_000_000)
        row = b"".join(
            (
                _OPEN.pack(10, 8, when, 16, delivery, -1)
                if link < 0
                else _CLICK.pack(10, 8, when, 16, delivery, 4, link),
                _act(kind, method),
                _address(address),
                program,
                _ONE,
            )
        )
        yield Hit((payload[:2], payload[10 : records.FIXED.size], address, agent), at, row, payload)


def table(rows: Iterable[bytes]) -> bytes:
    """Rows as one COPY takes them."""
    return b"".join((_BEGIN, *rows, _END))


def _value(raw: bytes) -> bytes:
    return struct.pack(">i", len(raw)) + raw


@functools.lru_cache(maxsize=16)
def _act(kind: int, method: int) -> bytes:
    """``kind`` and ``method``."""
    return _value(records.KINDS[kind].encode()) + _value(records.METHODS[method].encode())


@functools.lru_cache(maxsize=16_384)
def _address(raw: bytes) -> bytes:
    """``ip`` and ``network``."""
    try:
        address = ipaddress.ip_address(raw.decode("ascii"))
    except ValueError:
        return _NULL + _NULL
    packed = address.packed
    inet = struct.pack("BBBB", _INET_FAMILY[address.version], len(packed) * 8, 0, len(packed)) + packed
    network = network_of(str(address))
    return _value(inet) + (_NULL if network is None else _value(network.encode()))


@functools.lru_cache(maxsize=4096)
def _program(fields: bytes) -> tuple[bytes, bytes]:
    """The user agent as kept, and ``user_agent`` and ``headers``."""
    agent, headers = records.words(fields)
    return agent.encode(), _value(agent.encode()) + _value(_JSONB_VERSION + json.dumps(headers).encode())
