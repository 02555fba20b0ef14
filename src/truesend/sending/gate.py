"""One condition for sending, and all of them together. Pure; :mod:`truesend.sending.readiness` judges."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Gate:
    """One condition. ``until`` is of one that is open to new mail, which leaves by itself at that hour."""

    name: str
    ok: bool
    cause: str = ""
    sentence: str = ""
    fix: dict[str, str] | None = None
    who: list[dict[str, str]] = field(default_factory=list)
    until: datetime | None = None


@dataclass(frozen=True)
class Readiness:
    """All gates: ready is what may be taken, and it leaves at once unless something delays it."""

    gates: tuple[Gate, ...]

    @property
    def ready(self) -> bool:
        """Whether every gate is open."""
        return all(gate.ok for gate in self.gates)

    def first_closed(self) -> Gate | None:
        """The gate to name first."""
        return next((gate for gate in self.gates if not gate.ok), None)

    def delayed(self) -> Gate | None:
        """The open gate that lets nothing leave before its hour."""
        return next((gate for gate in self.gates if gate.ok and gate.until is not None), None)

    def keeps_back(self) -> Gate | None:
        """What keeps an email from leaving at this moment."""
        return self.first_closed() or self.delayed()
