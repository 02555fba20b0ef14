"""The shape of one version of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Names = tuple[tuple[str, str], ...]
"""``(part of the user agent in lower case, name to show)``; the first that is contained counts."""


@dataclass(frozen=True)
class Rules:
    """One version of the rules. Times are seconds."""

    version: str
    first_seconds: float
    """Nobody can have looked so soon after delivery."""
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
