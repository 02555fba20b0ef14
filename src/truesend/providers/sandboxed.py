"""The providers' settings for the sandbox, apart from the registry, which is heavy to import."""

from __future__ import annotations

from truesend.providers.google import sandbox as google
from truesend.providers.keap import sandbox as keap
from truesend.providers.microsoft import sandbox as microsoft


def settings(url: str) -> dict[str, str]:
    """Settings without their prefix that point every provider at a sandbox at ``url`` (no trailing slash)."""
    return {**google.settings(url), **microsoft.settings(url), **keap.settings(url)}
