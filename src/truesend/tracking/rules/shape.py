"""The shape of one version of the rules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Names = tuple[tuple[str, str], ...]
"""``(part of the user agent in lower case, name to show)``; the first that is contained counts."""

Ranges = tuple[tuple[str, tuple[str, ...]], ...]
"""``(name to show, its networks)``; of several that hold an address the first counts."""


@dataclass(frozen=True)
class Rules:
    """One version of the rules. Times are seconds."""

    version: str
    first_seconds: float
    """What comes so soon after delivery is nearly always a machine’s."""
    burst_two: float
    """Two distinct links within this are a machine."""
    burst_all: float
    """All links within this are a machine, where there are at least ``burst_all_links``."""
    burst_all_links: int
    burst_company: float
    """The same machine's other hits so near to its burst are its own, too."""
    network_seconds: float
    network_recipients: int
    """One network at so many recipients within ``network_seconds`` is a gateway."""
    confidence: Mapping[str, float]
    """By rule."""
    previews: Names
    gateways: Names
    libraries: Names
    mail_programs: Names
    rewriters: Names
    """``(end or part of a host, name)`` of services that lead people through their own address."""
    gateway_networks: Ranges = ()
    """Of companies that look at mail for others."""
    mail_services: Ranges = ()
    """Of services that fetch pictures by themselves when a reader shows them."""
    clouds: Ranges = ()
    """Data centres: a browser there may be a gateway's or a person's."""
    link_checkers: frozenset[str] = frozenset()
    """Names of programs that look at a link themselves before the browser gets it."""
    quick_gap: float = math.inf
    """Two links with at least this between them may be a reader's who had the mail open; never, where infinite."""
    quick_open: float = 0.0
    """So long before the two links the mail was opened."""
    ahead_first: bool = False
    """Whether what says that it is loaded ahead, or for a preview, is kept out of bursts."""
    unsure_address: bool = False
    """Whether another device at the sender's address leaves it open who it was."""
    known_apart: bool = False
    """Whether a hit that is a machine's by itself says nothing of one from another address and agent."""
    app_browsers: Names = ()
    """Of apps on telephones that show pages in a browser of their own."""
    crowd_addresses: int = 0
    """One link followed from so many addresses within ``crowd_seconds`` is not one reader; 0: not asked."""
    crowd_seconds: float = 0.0
