"""Cells of the kill matrix, and what became of every email in one."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.storms import groups
from tests.storms.blows import ACTS
from tests.storms.groups import Group

# What comes before the first byte of some sends: the draft or contact is there, the statement that keeps its reference
# is with PostgreSQL, and it is committed. Sends that prepare nothing do not come by.
PREPARING = ("prepared", "reference_in_flight", "reference_committed")
POINTS = (
    "before_started",
    "started",
    *PREPARING,
    "connecting",
    "sent",
    "answered",
    "before_commit",
    "after_commit",
)
# Here the statement is with PostgreSQL and not committed; elsewhere PostgreSQL has nothing to do.
IN_FLIGHT = frozenset({"before_started", "reference_in_flight", "before_commit"})


@dataclass(frozen=True)
class Cell:
    """Where the sends stand, what happens, and whether the provider's lists are late."""

    point: str
    act: str
    late: bool

    def __str__(self) -> str:
        return f"{self.act} at {self.point}" + (", lists late" if self.late else "")

    def groups(self) -> list[Group]:
        """Whose sends come by the point."""
        return [one for one in groups.every() if self.point not in PREPARING or one.prepares]


def cells(seed: int) -> list[Cell]:
    """All of them, in the order of the seed, those with late lists last."""
    dice = random.Random(seed)
    made = []
    for late in (False, True):
        some = [Cell(point, act, late) for point in POINTS for act in ACTS]
        dice.shuffle(some)
        made += some
    return made


@dataclass
class Count:
    """What became of one group's emails in a cell."""

    accepted: int = 0
    once: int = 0
    # Unknown for a while, by who told the truth then: the Sent folder, a person, the worker itself.
    told_by: Counter[str] = field(default_factory=Counter)
    # Why tries did not end as accepted.
    causes: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    lost: int = 0
    open: int = 0
    # By a person, of a mailbox that could have told it.
    asked: int = 0


@dataclass
class Books:
    """A cell's. ``mailboxes`` of each group, ``counts`` by group."""

    cell: Cell
    mailboxes: int
    stood: int
    counts: dict[str, Count]
    trouble: list[str]
    seconds: float

    def shortfalls(self) -> list[str]:
        """What does not balance; empty when every email arrived exactly once and everybody knows it."""
        short = list(self.trouble)
        if self.stood != len(self.cell.groups()) * self.mailboxes:
            short.append(f"only {self.stood} sends stood there")
        for group, count in self.counts.items():
            wrong = {
                "twice": count.twice,
                "lost": count.lost,
                "open": count.open,
                "asked of a person": count.asked,
            }
            short += [f"{number} {group} {words}" for words, number in wrong.items() if number]
            if not short and count.once != self.mailboxes:
                short.append(f"{count.once} {group} arrived once")
        return [f"{self.cell}: {one}" for one in short]

    def plain(self) -> dict[str, Any]:
        """For a JSON file. (``asdict`` takes a Counter's pairs for things to count.)"""
        counts = {
            name: {**vars(count), "told_by": dict(count.told_by), "causes": dict(count.causes)}
            for name, count in self.counts.items()
        }
        return {**vars(self), "cell": vars(self.cell), "counts": counts}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Books:
        """Back from :meth:`plain`."""
        counts = {
            name: Count(**{**count, "told_by": Counter(count["told_by"]), "causes": Counter(count["causes"])})
            for name, count in plain["counts"].items()
        }
        return cls(**{**plain, "cell": Cell(**plain["cell"]), "counts": counts})

    def __str__(self) -> str:
        told = {
            group: f"{count.once} once"
            + "".join(f", {number} told by {who}" for who, number in sorted(count.told_by.items()))
            + "".join(f", {number} {cause}" for cause, number in sorted(count.causes.items()))
            for group, count in self.counts.items()
        }
        words = "; ".join(f"{group}: {one}" for group, one in told.items())
        short = self.shortfalls()
        return f"{self.cell}: {words} ({self.seconds:.0f} s)" + (f" SHORT: {short}" if short else "")
