"""How a row is written: as a line of JSON, and as cells of a spreadsheet (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from truesend import spreadsheets

# Programs that split a text into lines take these for ends; in JSON they stand in strings alone.
_ENDS = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"})
MARK = "\ufeff"
"""What a CSV begins with, so that every spreadsheet reads it as UTF-8."""


def line(row: Mapping[str, Any]) -> str:
    """A line of JSON with its end; times are RFC 3339 in UTC, ids text."""
    return json.dumps(row, ensure_ascii=False, default=_plain).translate(_ENDS) + "\n"


def cells(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """A line of a CSV with its end; what a spreadsheet would compute is made text."""
    return spreadsheets.line(_cell(row.get(one)) for one in columns)


def title(columns: Sequence[str]) -> str:
    """The first line of a CSV."""
    return MARK + spreadsheets.line(columns)


def moment(at: datetime) -> str:
    """“2026-03-01T09:30:00.5Z” as RFC 3339 has it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, UUID | date):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not written to an export")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable) and not isinstance(value, bytes | Mapping):
        return ", ".join(_cell(one) for one in value)
    return str(value)
