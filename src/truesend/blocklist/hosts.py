"""Which host an address leads to, in one spelling, as a browser would find it. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import unquote

import idna

LONGEST = 253
_AUTHORITY = re.compile(r"\s*(?:https?:)?[/\\]*([^/\\?#]*)", re.IGNORECASE)
_PORT = re.compile(r":\d*\Z")
_NUMBER = re.compile(r"0x[0-9a-f]*|\d+", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")


def host_of(target: str) -> str:
    """The host of an http(s) address or of a bare host, lower case and in ASCII; empty where there is none.

    Other spellings of a host are the same host: letters outside ASCII, per cent signs, a closing dot, an IPv4
    address as one number.
    """
    found = _AUTHORITY.match(target)
    authority = found[1].rpartition("@")[2].strip() if found else ""
    if authority.startswith("["):
        return _ipv6(authority[1:].partition("]")[0])
    host = unquote(_PORT.sub("", authority)).lower()
    try:
        host = idna.encode(host, uts46=True, std3_rules=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        # Underscores and empty labels are no names, and still lead somewhere.
        host = host.replace("\u3002", ".")
    host = host.rstrip(".")
    return _ipv4(host) or host


def with_parents(host: str) -> Iterator[str]:
    """``a.b.example``, ``b.example``, ``example``: a block of any holds for it. An IP address has no parents."""
    yield host
    if _ipv4(host) or ":" in host:
        return
    while "." in host:
        host = host.partition(".")[2]
        yield host


def is_host(host: str) -> bool:
    """Whether it can be blocked: an IP address or a name of at least two parts, so that no slip blocks all of .com."""
    if ":" in host or _ipv4(host):
        return True
    return "." in host and len(host) <= LONGEST and _NAME.fullmatch(host) is not None


def _ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return ""


def _ipv4(host: str) -> str:
    """An IPv4 address in four numbers, however it is spelled (https://url.spec.whatwg.org/#concept-ipv4-parser)."""
    parts = host.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return ""
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return ""
    last = 256 ** (5 - len(numbers))
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= last:
        return ""
    value = numbers[-1] + sum(number * 256 ** (3 - place) for place, number in enumerate(numbers[:-1]))
    return str(ipaddress.IPv4Address(value))


def _number(text: str) -> int:
    if text[:2].lower() == "0x":
        return int(text[2:] or "0", 16)
    return int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)
