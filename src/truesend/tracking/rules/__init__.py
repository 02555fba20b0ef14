"""Rules of classification as versioned data: numbers, confidences and known agents, each with its source.

A change of meaning gets a new version beside the old one, so that a signal's ``rules_version`` stays readable
and history can be classified again.
"""

from __future__ import annotations

from truesend.tracking.rules.shape import Rules
from truesend.tracking.rules.v1 import V1
from truesend.tracking.rules.v2 import V2

VERSIONS: dict[str, Rules] = {V1.version: V1, V2.version: V2}
CURRENT = V2

__all__ = ["CURRENT", "VERSIONS", "Rules"]
