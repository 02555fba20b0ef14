"""Passwords at a low price, for the installations that tests sign hundreds of people up in.

A million rounds make guessing dear: a quarter of a second of processor time for each sign-up and sign-in, which was a
quarter of what a test with a person of its own took. No test is about that number. All else of passwords is the
product's; what starts by ``up.running`` or as a first start has the full price too, as have the commands.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from django.contrib.auth.hashers import PBKDF2PasswordHasher

_ROOT = str(Path(__file__).resolve().parents[1])


class FewRounds(PBKDF2PasswordHasher):
    """The product's algorithm with a thousandth of its rounds."""

    iterations = 1_000


def added(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which Truesend's processes hash so, besides ``settings``."""
    given = dict(settings or {})
    path = [given.get("PYTHONPATH") or os.environ.get("PYTHONPATH", ""), _ROOT]
    return {
        **given,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
