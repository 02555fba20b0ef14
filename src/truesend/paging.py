"""The cursor of lists in pages, newest first: it stays right while new rows arrive."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID


class CursorError(ValueError):
    """That is no cursor of ours."""


def write_cursor(at: datetime, row_id: UUID) -> str:
    """The cursor behind a row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode()


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """(``created_at``, id) of the row it stands behind. Raises :class:`CursorError` for one that is none."""
    try:
        at, _, row_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        found = UUID(row_id)
    except (ValueError, binascii.Error, UnicodeError):
        raise CursorError(cursor) from None
    if moment.tzinfo is None:
        raise CursorError(cursor)
    return moment, found
