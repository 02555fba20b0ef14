"""One hit as bytes: packed on the request path, unpacked by the loader. Pure.

Framing, little-endian: ``magic 4 | length of payload 4 | CRC-32 of payload 4 | payload``. A record that
was cut off or damaged fails its length or checksum; reading goes on at the next record that holds.

Payload: ``kind 1 | method 1 | at 8 (seconds since 1970, double) | link 4 (-1: none) | delivery 16``, then
fields ``name 1 | length 2 | bytes``; the names are the positions in :data:`FIELDS`. The client's address comes
first: what follows it are a program's words, the same in thousands of hits, so that readers can keep what they made of
them.

A segment is filled with zeros ahead of its records (:mod:`truesend.tracking.segments`): where a frame would begin with
zeros, its records end.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

MAGIC = b"TSh1"
FRAME = struct.Struct("<4sII")
FIXED = struct.Struct("<BBdi16s")
FIELD = struct.Struct("<BH")
MAX_PAYLOAD = 16 * 1024

KINDS = ("open", "click")
METHODS = ("GET", "HEAD")
FIELDS = (
    "ip",
    "user-agent",
    "accept",
    "accept-language",
    "referer",
    "purpose",
    "sec-purpose",
    "x-purpose",
    "x-moz",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-ch-ua",
    "sec-ch-ua-platform",
    "via",
    "range",
    "x-requested-with",
)
"""What is kept of a request; the order is part of the format, so new ones go to the end."""

IP, USER_AGENT = 0, 1
FIELD_LIMITS = {"user-agent": 512, "referer": 512}
"""Bytes kept of a field; others keep 256."""


@dataclass(frozen=True, slots=True)
class Record:
    """A hit as it was seen: ``headers`` are those of :data:`FIELDS` that were sent."""

    at: datetime
    kind: str
    delivery: UUID
    link: int | None
    method: str
    ip: str | None
    user_agent: str
    headers: dict[str, str]


def field(name: int, value: bytes) -> bytes:
    """One field of a payload; ``name`` is its position in :data:`FIELDS`."""
    return FIELD.pack(name, len(value)) + value


def pack(*, kind: int, method: int, at: float, link: int | None, delivery: bytes, fields: bytes) -> bytes:
    """The framed record. ``kind`` and ``method`` are positions in :data:`KINDS` and :data:`METHODS`, ``at`` seconds
    since 1970, ``fields`` what :func:`field` made, the address first."""
    payload = FIXED.pack(kind, method, at, -1 if link is None else link, delivery) + fields
    return FRAME.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload


def unpack_all(data: bytes, *, at_end: bool, growing: bool = False) -> tuple[list[bytes], int, int]:
    """The payloads in ``data``: ``(payloads, bytes used, bytes skipped as damaged)``.

    ``at_end`` says that the file ends with ``data``, ``growing`` that somebody may be writing it just now: then nothing
    is skipped, for a reader can see the end of a write before its beginning. What follows the bytes used is an
    unfinished record, zeros, or damage at the very end of the file.
    """
    payloads: list[bytes] = []
    used = skipped = 0
    size, head = len(data), FRAME.size
    unpack, checksum_of = FRAME.unpack_from, zlib.crc32
    while used + head <= size:
        magic, length, checksum = unpack(data, used)
        end = used + head + length
        if magic == MAGIC and FIXED.size <= length <= MAX_PAYLOAD and end <= size:
            payload = data[used + head : end]
            if checksum_of(payload) == checksum:
                payloads.append(payload)
                used = end
                continue
        if growing:
            break
        found = _next_record(data, used + 1)
        if found is None and not (at_end or is_blank(data[used:])):
            found = size - head - MAX_PAYLOAD  # where a record that is not yet read whole may begin
        if found is None or found <= used:
            break
        skipped += found - used
        used = found
    return payloads, used, skipped


def is_blank(data: bytes) -> bool:
    """Whether these are zeros, filled in ahead of records."""
    return not data.strip(b"\0")


def _record_end(data: bytes, start: int) -> int | None:
    if start + FRAME.size > len(data):
        return None
    magic, length, checksum = FRAME.unpack_from(data, start)
    end = start + FRAME.size + length
    if magic != MAGIC or not FIXED.size <= length <= MAX_PAYLOAD or end > len(data):
        return None
    return end if zlib.crc32(data[start + FRAME.size : end]) == checksum else None


def _next_record(data: bytes, start: int) -> int | None:
    at = data.find(MAGIC, start)
    while at >= 0:
        if _record_end(data, at) is not None:
            return at
        at = data.find(MAGIC, at + 1)
    return None


def split(payload: bytes) -> tuple[bytes, bytes]:
    """``(the client's address, the other fields)`` of a payload; the address is empty where none was kept."""
    position, size = FIXED.size, len(payload)
    while position < size:
        name, length = FIELD.unpack_from(payload, position)
        end = position + FIELD.size + length
        if name == IP:
            return payload[position + FIELD.size : end], payload[FIXED.size : position] + payload[end:]
        position = end
    return b"", payload[FIXED.size :]


def words(fields: bytes) -> tuple[str, dict[str, str]]:
    """``(user agent, other headers)`` out of fields without an address."""
    user_agent = ""
    headers: dict[str, str] = {}
    position, size = 0, len(fields)
    while position < size:
        name, length = FIELD.unpack_from(fields, position)
        position += FIELD.size
        value = _text(fields[position : position + length])
        position += length
        if name == USER_AGENT:
            user_agent = value
        elif name < len(FIELDS):
            headers[FIELDS[name]] = value
    return user_agent, headers


def read(payload: bytes) -> Record:
    """The hit that a payload says."""
    kind, method, at, link, delivery = FIXED.unpack_from(payload)
    address, rest = split(payload)
    user_agent, headers = words(rest)
    return Record(
        at=datetime.fromtimestamp(at, UTC),
        kind=KINDS[kind],
        delivery=UUID(bytes=delivery),
        link=None if link < 0 else link,
        method=METHODS[method],
        ip=_text(address) or None,
        user_agent=user_agent,
        headers=headers,
    )


def _text(raw: bytes) -> str:
    """Text that PostgreSQL can store: any bytes become characters, NUL is dropped."""
    text = raw.decode("utf-8", errors="replace")
    return text.replace("\x00", "") if "\x00" in text else text
