"""Addresses and names in headers, by the standard library where it can, never raising."""

from __future__ import annotations

import re
from email.utils import getaddresses

from truesend.inbox.texts import decode_header

MOST = 500
_BARE = re.compile(r"[^\s<>()\[\]\"',;:@]{1,64}@[^\s<>()\[\]\"',;:@]{1,255}")


def address_of(value: str) -> tuple[str, str]:
    """``(address, name)`` of the first one; each may be ``""``."""
    found = pairs(value[:2_000])
    return found[0] if found else ("", "")


def addresses_of(values: list[str]) -> list[str]:
    """Every address, in order, each once."""
    found = [address for value in values for address, _ in pairs(value)]
    return list(dict.fromkeys(found))[:MOST]


def pairs(value: str) -> list[tuple[str, str]]:
    """``(address, name)`` of each; what the library cannot read is searched for what looks like one."""
    value = value[:8_000]
    if value.count("(") > 50 or value.count("\\") > 50:  # nested comments cost the library quadratic time
        return [(one, "") for one in _BARE.findall(value)]
    try:
        read = getaddresses([value])
    except Exception:
        read = []
    found = [
        (address.strip("<>' "), decode_header(name))
        for name, address in read
        if "@" in address and " " not in address
    ]
    if found:
        return found
    bare = [(one, "") for one in _BARE.findall(value)]
    if bare:
        return bare
    return [("", decode_header(name or address)) for name, address in read if name or address]
