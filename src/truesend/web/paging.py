"""Lists in pages, newest first, by a cursor that stays right while new rows arrive."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from truesend.sending.models import Email


def page_of(found: QuerySet[Email], cursor: str, size: int) -> tuple[list[Email], str | None]:
    """(one page, the cursor of the next or None). A cursor that is none begins at the start."""
    after = _read(cursor)
    if after is not None:
        at, email_id = after
        found = found.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=email_id))
    rows: list[Any] = list(found.order_by("-created_at", "-id")[: size + 1])
    following = _write(rows[size - 1]) if len(rows) > size else None
    return rows[:size], following


def _write(email: Email) -> str:
    return base64.urlsafe_b64encode(f"{email.created_at.isoformat()} {email.pk}".encode()).decode()


def _read(cursor: str) -> tuple[datetime, UUID] | None:
    try:
        at, _, email_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        return (moment, UUID(email_id)) if moment.tzinfo else None
    except (ValueError, binascii.Error, UnicodeError):
        return None
