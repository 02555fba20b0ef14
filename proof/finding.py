"""A line of the proof's table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A figure, the limit it was promised to keep, and whether it does."""

    name: str
    figure: str
    limit: str
    holds: bool
    seconds: float
    seed: str = ""

    @property
    def verdict(self) -> str:
        """In words."""
        return "holds" if self.holds else "FALLS SHORT"
