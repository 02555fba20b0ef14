"""Truesend's own Django settings, but for the price of a password (tests/few_rounds.py)."""

from truesend.settings import *  # noqa: F403 - all of them

PASSWORD_HASHERS = ["tests.few_rounds.FewRounds"]
