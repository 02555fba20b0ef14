"""Message-IDs as headers name them."""

from __future__ import annotations

import re

_ID = re.compile(r"<([^<>\s]{1,500})>")
MOST = 100


def ids_in(value: str) -> list[str]:
    """Those in angle brackets, without them, each once; else the whole value where it can be one."""
    value = value[:20_000]
    found = _ID.findall(value)
    if not found and (bare := value.strip()) and " " not in bare and "@" in bare and len(bare) <= 500:
        found = [bare.strip("<>")]
    return list(dict.fromkeys(found))[:MOST]
