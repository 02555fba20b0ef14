"""Switches: what nobody has confirmed about a provider, and numbers a test wants small, as settings.

Each provider declares its own; `docs/sandbox.md` lists them all and a test holds that list complete.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truesend_sandbox.store import Store

Value = bool | int | float | str


@dataclass(frozen=True)
class Switch:
    """One switch: its default, what it stands for and how sure anybody is of the default."""

    name: str
    default: Value
    meaning: str
    certainty: str
    choices: tuple[str, ...] = ()
    above: int = -1
    """A number must be greater than this."""

    def check(self, value: object) -> Value:
        """The value in the switch's own type. Raises `ValueError` saying what would be right."""
        if isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise ValueError(f"{self.name} must be true or false")
            return value
        if isinstance(self.default, str):
            if not isinstance(value, str) or (self.choices and value not in self.choices):
                wanted = f"one of {', '.join(self.choices)}" if self.choices else "text"
                raise ValueError(f"{self.name} must be {wanted}")
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.above < value < 1e12:
            raise ValueError(f"{self.name} must be a number greater than {self.above}")
        return int(value) if isinstance(self.default, int) else float(value)


class Switches:
    """The present values. Reading costs a dictionary look-up; setting writes through to the store."""

    def __init__(self, store: Store, declared: Mapping[str, tuple[Switch, ...]]) -> None:
        self._store = store
        self.declared = {
            provider: {switch.name: switch for switch in switches} for provider, switches in declared.items()
        }
        self._values: dict[str, dict[str, Value]] = {}
        self.load()

    def load(self) -> None:
        """Read again what the store holds; everything else stands at its default."""
        self._values = {
            provider: {name: switch.default for name, switch in switches.items()}
            for provider, switches in self.declared.items()
        }
        for row in self._store.all("SELECT provider, name, value FROM switches"):
            if row["name"] in self._values.get(row["provider"], {}):
                self._values[row["provider"]][row["name"]] = json.loads(row["value"])

    def get(self, provider: str, name: str) -> Any:
        return self._values[provider][name]

    def values(self) -> dict[str, dict[str, Value]]:
        return {provider: dict(values) for provider, values in self._values.items()}

    def change(self, wanted: object) -> None:
        """Set `{provider: {name: value}}`; null means back to the default. All or nothing.

        Raises `ValueError` with a sentence for an unknown provider or name or a wrong value.
        """
        if not isinstance(wanted, dict):
            raise ValueError("switches are given as {provider: {name: value}}")
        checked: list[tuple[str, str, Value | None]] = []
        for provider, pairs in wanted.items():
            declared = self.declared.get(provider)
            if declared is None:
                raise ValueError(f"unknown provider {provider!r}; known: {', '.join(sorted(self.declared))}")
            if not isinstance(pairs, dict):
                raise ValueError(f"switches of {provider} are given as {{name: value}}")
            for name, value in pairs.items():
                if name not in declared:
                    raise ValueError(
                        f"{provider} has no switch {name!r}; known: {', '.join(sorted(declared))}"
                    )
                checked.append((provider, name, None if value is None else declared[name].check(value)))
        with self._store.write():
            for provider, name, checked_value in checked:
                if checked_value is None:
                    self._store.run("DELETE FROM switches WHERE provider = ? AND name = ?", provider, name)
                else:
                    self._store.run(
                        "INSERT OR REPLACE INTO switches (provider, name, value) VALUES (?, ?, ?)",
                        provider,
                        name,
                        json.dumps(checked_value),
                    )
        self.load()
