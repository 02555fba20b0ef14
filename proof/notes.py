"""What a long step of the proof has found so far, so that a run that was cut short goes on in the middle of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Notes:
    """Values that JSON can hold, by name, written down at once."""

    def __init__(self, kept: dict[str, Any], save: Callable[[], None]) -> None:
        self._kept, self._save = kept, save

    def get(self, name: str) -> Any:
        """The value, or ``None``."""
        return self._kept.get(name)

    def put(self, name: str, value: Any) -> None:
        """Write it down."""
        self._kept[name] = value
        self._save()
