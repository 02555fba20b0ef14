"""What a check found, in words, and what to do about it. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a check ended. ``unproven``: nothing speaks against it and nothing has shown it, or nobody could look."""

    OK = "ok"
    UNPROVEN = "unproven"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Fix:
    """What helps, for somebody who reads nothing else.

    ``words`` say it whole. ``settings`` are lines ``TRUESEND_NAME=value`` to set, where the value is known, ``unset``
    names to take out of the environment; ``command`` is typed in a terminal; ``page`` is opened in a browser;
    ``register`` is an address to enter at a provider. Any of them may be empty.
    """

    words: str
    command: str = ""
    settings: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    page: str = ""
    register: str = ""


@dataclass(frozen=True)
class Finding:
    """One check: its name, how it ended, a sentence, and what helps where something is to be done."""

    check: str
    status: Status
    sentence: str
    fix: Fix | None = None

    def as_json(self) -> dict[str, Any]:
        """``{check, status, sentence, fix: {words, command, settings, unset, page, register}|null}``."""
        return {**asdict(self), "status": self.status.value}


def ok(check: str, sentence: str) -> Finding:
    """It holds."""
    return Finding(check, Status.OK, sentence)


def unproven(check: str, sentence: str, fix: Fix | None = None) -> Finding:
    """Nothing is known against it."""
    return Finding(check, Status.UNPROVEN, sentence, fix)


def warning(check: str, sentence: str, fix: Fix) -> Finding:
    """It works, and will hurt."""
    return Finding(check, Status.WARNING, sentence, fix)


def wrong(check: str, sentence: str, fix: Fix) -> Finding:
    """It does not work."""
    return Finding(check, Status.WRONG, sentence, fix)
