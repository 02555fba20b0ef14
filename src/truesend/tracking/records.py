"""One hit as bytes: packed on the request path, unpacked by the loader. Pure.

Framing, little-endian: ``magic 4 | length of payload 4 | CRC-32 of payload 4 | payload``. A record that
was cut off or damaged fails its length or checksum; reading goes on at the next record that holds.

Payload: ``kind 1 | method 1 | at 8 (seconds since 1970, double) | link 4 (-1: none) | delivery 16``, then
fields ``name 1 | length 2 | bytes``; the names are the positions in :data:`FIELDS`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

MAGIC = b"TSh1"
FRAME = struct.Struct("<4sII")
_FIXED = struct.Struct("<BBdi16s")
_FIELD = struct.Struct("<BH")
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


def pack(
    *,
    kind: int,
    method: int,
    at: float,
    link: int | None,
    delivery: bytes,
    fields: Iterable[tuple[int, bytes]],
) -> bytes:
    """The framed record. ``kind`` and ``method`` are positions in :data:`KINDS` and :data:`METHODS`."""
    parts = [_FIXED.pack(kind, method, at, -1 if link is None else link, delivery)]
    for name, value in fields:
        parts += (_FIELD.pack(name, len(value)), value)
    payload = b"".join(parts)
    return FRAME.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload


def unpack_all(data: bytes, *, at_end: bool) -> tuple[list[Record], int, int]:
    """The records in ``data``: ``(records, bytes used, bytes skipped as damaged)``.

    ``at_end`` says that the file ends with ``data``. What follows the bytes used is an unfinished record, or
    damage at the very end of the file.
    """
    records: list[Record] = []
    used = skipped = 0
    size = len(data)
    while used < size:
        end = _record_end(data, used)
        if end is None:
            found = _next_record(data, used + 1)
            if found is None and not at_end:
                found = size - FRAME.size - MAX_PAYLOAD  # where a record that is not yet read whole may begin
            if found is None or found <= used:
                break
            skipped += found - used
            used = found
            continue
        records.append(_unpack(data[used + FRAME.size : end]))
        used = end
    return records, used, skipped


def _record_end(data: bytes, start: int) -> int | None:
    if start + FRAME.size > len(data):
        return None
    magic, length, checksum = FRAME.unpack_from(data, start)
    end = start + FRAME.size + length
    if magic != MAGIC or not _FIXED.size <= length <= MAX_PAYLOAD or end > len(data):
        return None
    return end if zlib.crc32(data[start + FRAME.size : end]) == checksum else None


def _next_record(data: bytes, start: int) -> int | None:
    at = data.find(MAGIC, start)
    while at >= 0:
        if _record_end(data, at) is not None:
            return at
        at = data.find(MAGIC, at + 1)
    return None


def _unpack(payload: bytes) -> Record:
    kind, method, at, link, delivery = _FIXED.unpack_from(payload)
    ip = user_agent = ""
    headers: dict[str, str] = {}
    position, size, field = _FIXED.size, len(payload), _FIELD.size
    while position < size:
        name, length = _FIELD.unpack_from(payload, position)
        position += field
        value = _text(payload[position : position + length])
        position += length
        if name > USER_AGENT:
            if name < len(FIELDS):
                headers[FIELDS[name]] = value
        elif name == IP:
            ip = value
        else:
            user_agent = value
    return Record(
        at=datetime.fromtimestamp(at, UTC),
        kind=KINDS[kind],
        delivery=UUID(bytes=delivery),
        link=None if link < 0 else link,
        method=METHODS[method],
        ip=ip or None,
        user_agent=user_agent,
        headers=headers,
    )


def _text(raw: bytes) -> str:
    """Text that PostgreSQL can store: any bytes become characters, NUL is dropped."""
    text = raw.decode("utf-8", errors="replace")
    return text.replace("\x00", "") if "\x00" in text else text
