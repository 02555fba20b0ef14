"""Names of files in an archive: of what people called theirs, what every system can unpack (pure)."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 100
# What ends a path, leads elsewhere, or is no name on some system.
_NOT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def safe(name: str) -> str:
    """A name without a folder, never empty, never one that leads out of where it is unpacked."""
    cleaned = _NOT.sub("_", unicodedata.normalize("NFC", name)).strip(" .")
    stem, dot, ending = cleaned.rpartition(".")
    if dot and stem and len(ending) <= 20:
        cleaned = f"{stem[: _LONGEST - len(ending) - 1]}.{ending}"
    cleaned = cleaned[:_LONGEST].strip(" .")
    if not cleaned or _DEVICES.fullmatch(cleaned):
        cleaned = f"file_{cleaned}"
    return cleaned
