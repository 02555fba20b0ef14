"""Lies between probes: when each began, what it was, and how old it grew by the sandbox's clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.storms import truth_rows
from tests.storms.asking import Oracle
from tests.storms.ground import Rows
from tests.storms.truth_books import Box, Lie


class Lying:
    """The lies that lie now, and those that have ended; ``now`` tells the sandbox's time."""

    def __init__(self, oracle: Oracle, rows: Rows, now: Callable[[], float]) -> None:
        self._oracle, self._rows, self._now = oracle, rows, now
        self._ended: list[Lie] = []
        # Of what lies: since when.
        self._lies: dict[tuple[str, str], tuple[Lie, float]] = {}

    def look(self, step: int, box: Box, told: dict[str, Any]) -> None:
        """Use a capability as it is shown, and tell the installation nothing."""
        key, verdict, name = (box.connection, told["name"]), told["verdict"], told["name"]
        works, words = verdict == "working", ""
        if verdict in {"working", "broken"}:
            works, words = self._oracle.works(box.connection, name, renew=verdict == "broken", quiet=True)
        if verdict in {"working", "broken"} and works != (verdict == "working"):
            if key not in self._lies:
                lie = Lie(
                    step,
                    str(box),
                    name,
                    verdict,
                    told["cause"] or "",
                    words,
                    rows=self._rows_of(box.connection),
                )
                self._lies[key] = (lie, self._now())
        elif key in self._lies:
            self._ended.append(self._aged(key))

    def end(self) -> list[Lie]:
        """All of them; what still lies is as old as it is now."""
        still = [replace(self._aged(key), still=True) for key in list(self._lies)]
        return [*self._ended, *still]

    def _aged(self, key: tuple[str, str]) -> Lie:
        lie, since = self._lies.pop(key)
        told = f"then {lie.rows}; at last {self._rows_of(key[0])}"
        return replace(lie, age=self._now() - since, rows=told)

    def _rows_of(self, connection: str) -> str:
        return truth_rows.standing(self._rows, connection, self._now())
