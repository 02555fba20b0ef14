"""Internet addresses as evidence. Pure."""

from __future__ import annotations

import functools
import ipaddress

# Set aside for examples (RFC 5737, RFC 3849): nobody's real address, and the sandbox's public ones.
_DOCUMENTATION = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)


def evidence_address(ip: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address that can serve as evidence: loopback, private and other special ones cannot."""
    if not ip:
        return None
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return None
    special = not address.is_global and not any(address in network for network in _DOCUMENTATION)
    return None if special or address.is_multicast else address


@functools.lru_cache(maxsize=16_384)
def network_of(ip: str | None) -> str | None:
    """The network an address belongs to as evidence: its /24 or /48."""
    address = evidence_address(ip)
    if address is None:
        return None
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))
