"""Moments as Microsoft writes them: three forms, by who writes."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """`2026-05-01T10:00:00Z`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def spaced_moment(seconds: float) -> str:
    """`2022-06-01 02:02:12Z`, as error bodies write the time."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z"


def long_moment(seconds: float) -> str:
    """`2022-03-02T03:54:33.8043551Z`, as error texts write it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
