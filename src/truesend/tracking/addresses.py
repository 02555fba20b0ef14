"""Internet addresses as evidence. Pure."""

from __future__ import annotations

import bisect
import functools
import ipaddress

from truesend.tracking.rules.shape import Ranges

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


@functools.lru_cache(maxsize=64)
def is_loopback(ip: str | None) -> bool:
    """Whether it is an address of the machine itself."""
    try:
        return ipaddress.ip_address(ip or "").is_loopback
    except ValueError:
        return False


def client_address(peer: str, forwarded: str, *, trust_forwarded: bool, proxies: int = 0) -> str:
    """Whose request it is: the peer's, or with ``trust_forwarded`` (dev) what a loopback peer says last of itself."""
    said = said_address(peer, forwarded, trust_forwarded=trust_forwarded, proxies=proxies)
    try:
        return str(ipaddress.ip_address(bare(said)))
    except ValueError:
        return peer


def said_address(peer: str, forwarded: str, *, trust_forwarded: bool, proxies: int) -> str:
    """The same as it was written, which may be no address.

    Each of ``proxies`` in front adds whom it was asked by, so the outermost wrote the one that many from the end; what
    stands before that, the client wrote. Where there are fewer, the request came around a proxy: it is the peer's.
    """
    trusted = proxies or (1 if trust_forwarded and is_loopback(peer) else 0)
    if not trusted or not forwarded.strip():
        return peer
    said = forwarded.split(",")
    return said[-trusted].strip() if len(said) >= trusted else peer


def bare(address: str) -> str:
    """Without the port that some proxies write behind it."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


@functools.lru_cache(maxsize=16_384)
def network_of(ip: str | None) -> str | None:
    """The network an address belongs to as evidence: its /24 or /48."""
    address = evidence_address(ip)
    if address is None:
        return None
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


class Holders:
    """Who holds an address, among named networks."""

    def __init__(self, ranges: Ranges) -> None:
        self._spans: dict[int, list[tuple[int, int, str]]] = {4: [], 6: []}
        for name, networks in ranges:
            for text in networks:
                network = ipaddress.ip_network(text)
                taken = self._spans[network.version]
                taken += _without(int(network[0]), int(network[-1]), name, taken)
        for spans in self._spans.values():
            spans.sort()

    @functools.lru_cache(maxsize=16_384)  # noqa: B019 - there is one to a version of the rules
    def of(self, ip: str | None) -> str | None:
        """The name whose networks hold the address, or ``None``; also where the address is no evidence."""
        address = evidence_address(ip)
        if address is None:
            return None
        spans, number = self._spans[address.version], int(address)
        at = bisect.bisect_right(spans, number, key=lambda span: span[0]) - 1
        return spans[at][2] if at >= 0 and number <= spans[at][1] else None


def _without(
    first: int, last: int, name: str, taken: list[tuple[int, int, str]]
) -> list[tuple[int, int, str]]:
    """What of a span lies outside of those already taken."""
    left = []
    for begin, end, _ in sorted(taken):
        if end < first or begin > last:
            continue
        if begin > first:
            left.append((first, begin - 1, name))
        first = end + 1
    return [*left, (first, last, name)] if first <= last else left
