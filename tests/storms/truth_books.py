"""What the truth test counts: capabilities used, lies, and how old they grew between probes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

# The limit of a probe, and what the walk's own steps and the waker add to it; seconds of the sandbox's clock.
PROBE_SECONDS = 15 * 60.0
STEP_SECONDS = 60.0


@dataclass
class Box:
    """One account that walks, and its connection while it has one."""

    provider: str
    capabilities: str
    kind: str
    address: str
    connection: str = ""
    lives: bool = False

    def __str__(self) -> str:
        return f"{self.provider} {self.capabilities} {self.kind}"


@dataclass(frozen=True)
class Lie:
    """What was shown and is not so."""

    step: int
    box: str
    capability: str
    shown: str
    cause: str
    # What the oracle was told.
    words: str
    # Of one that was watched: seconds of the sandbox's clock, and whether it still lay at the end.
    age: float = 0.0
    still: bool = False
    # How the rows stood when it was seen first, and when it was seen last.
    rows: str = ""

    def __str__(self) -> str:
        cause = f" ({self.cause})" if self.cause else ""
        shown = f"step {self.step}, {self.box}: {self.capability} shown {self.shown}{cause}"
        aged = f"; {self.age:.0f} s old{', and still' if self.still else ''}" if self.age else ""
        return f"{shown}; used: {self.words or 'works'}{aged}{f'; {self.rows}' if self.rows else ''}"


@dataclass
class Books:
    """What a walk came to."""

    seed: int
    steps: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    # Capabilities used, by what was shown of them.
    used: Counter[str] = field(default_factory=Counter)
    lies: list[Lie] = field(default_factory=list)
    # What was wrong between probes.
    watched: list[Lie] = field(default_factory=list)
    cleared: list[float] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ages(self) -> list[float]:
        """Of what was wrong between probes, in seconds of the sandbox's clock."""
        return [one.age for one in self.watched]

    def shortfalls(self) -> list[str]:
        """What does not hold; empty where nothing lied."""
        late = [one for one in self.watched if one.age > PROBE_SECONDS + STEP_SECONDS]
        slow = [one for one in self.cleared if one > PROBE_SECONDS + STEP_SECONDS]
        return [
            *self.trouble,
            *[f"lie: {one}" for one in self.lies],
            *[f"a lie that grew too old: {one}" for one in late],
            *[f"an outage that had ended was shown for {one:.0f} s more" for one in slow],
        ]

    def __str__(self) -> str:
        ages = f"oldest {max(self.ages):.0f} s of {len(self.ages)}" if self.ages else "none"
        cleared = f"within {max(self.cleared):.0f} s" if self.cleared else "none"
        return (
            f"seed {self.seed}: {self.steps.total()} steps {dict(self.steps)}; faults {dict(self.faults)}; "
            f"{self.used.total()} capabilities used {dict(self.used)}; lies {len(self.lies)}; "
            f"lies between probes: {ages}; ended outages cleared: {cleared}; {self.seconds:.0f} s"
        )
