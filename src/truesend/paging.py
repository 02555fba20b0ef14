"""Lists in pages, newest first, by a cursor that stays right while new rows arrive."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


class CursorError(ValueError):
    """That is no cursor of ours."""


def page_of(found: QuerySet[Row], cursor: str, size: int) -> tuple[list[Row], str | None]:
    """(one page, the cursor of the next or None), of rows that have ``created_at`` and a UUID.

    Raises :class:`CursorError` for a cursor that is none: beginning again would send a pager round for ever.
    """
    after = _read(cursor) if cursor else None
    if after is not None:
        at, row_id = after
        found = found.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=row_id))
    rows = list(found.order_by("-created_at", "-pk")[: size + 1])
    following = _write(rows[size - 1]) if len(rows) > size else None
    return rows[:size], following


def _write(row: Any) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()} {row.pk}".encode()).decode()


def _read(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, row_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        found = UUID(row_id)
    except (ValueError, binascii.Error, UnicodeError):
        raise CursorError(cursor) from None
    if moment.tzinfo is None:
        raise CursorError(cursor)
    return moment, found
