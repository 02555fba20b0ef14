"""Moments as Keap writes and reads them."""

from __future__ import annotations

from datetime import UTC, datetime

from truesend_sandbox.clock import rfc3339


def v1_time(seconds: float) -> str:
    """`2017-01-01T22:17:59.039Z`."""
    return rfc3339(seconds)


def v2_time(seconds: float) -> str:
    """`2024-05-21T14:30:00Z`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def seconds_of(text: object) -> float:
    """A moment of either form, or a bare day. Raises `ValueError`."""
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no moment")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
