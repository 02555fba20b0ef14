"""One unsubscribe, or its undoing, as bytes: framed as a hit is, in segments of its own. Pure.

Payload: what a hit begins with (:data:`truesend.tracking.records.FIXED`: kind, way, time, no link, delivery), then
``organization 16 | address, ASCII``. Nothing of the request is kept: not whence it came, nor by which program.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from uuid import UUID

from truesend.tracking.records import FIXED, FRAME, MAGIC


class Kind(IntEnum):
    """What somebody said; apart from the kinds of hits."""

    UNSUBSCRIBE = 16
    UNDO = 17


class Way(IntEnum):
    """How: by the button of our page, or by the mail program's own (RFC 8058)."""

    PAGE = 0
    ONE_CLICK = 1


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said of the mail they get at ``address``, by the link in one copy of it."""

    kind: Kind
    way: Way
    at: datetime
    delivery: UUID
    organization: UUID
    address: str


def pack(said: Said) -> bytes:
    """The framed record."""
    fixed = FIXED.pack(said.kind, said.way, said.at.timestamp(), -1, said.delivery.bytes)
    payload = fixed + said.organization.bytes + said.address.encode("ascii")
    return FRAME.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload


def read(payload: bytes) -> Said:
    """What a payload says. ``ValueError`` for one of another format."""
    if len(payload) < FIXED.size + 16:
        raise ValueError("It is too short.")
    kind, way, at, _, delivery = FIXED.unpack_from(payload)
    rest = payload[FIXED.size :]
    return Said(
        Kind(kind),
        Way(way),
        datetime.fromtimestamp(at, UTC),
        UUID(bytes=delivery),
        UUID(bytes=rest[:16]),
        rest[16:].decode("ascii"),
    )


def folder_in(data: Path) -> Path:
    """Where the segments of an installation's unsubscribes lie, in its data folder."""
    return data / "tracking" / "unsubscribes"
