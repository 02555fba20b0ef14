"""Lines of a CSV that a spreadsheet shows and does not compute (pure)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes what begins so for a formula."""


def line(cells: Iterable[str]) -> str:
    """One line with its end; a cell that would be computed begins with an apostrophe."""
    out = io.StringIO()
    csv.writer(out).writerow([f"'{one}" if one.startswith(FORMULA) else one for one in cells])
    return out.getvalue()
