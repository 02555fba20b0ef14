"""The providers there are. Adding one is a folder and a line here."""

from __future__ import annotations

from truesend.providers.contract import Provider
from truesend.providers.google.provider import Google
from truesend.providers.keap.provider import Keap
from truesend.providers.microsoft.provider import Microsoft

PROVIDERS: dict[str, Provider] = {provider.key: provider for provider in (Google(), Microsoft(), Keap())}


def provider(key: str) -> Provider:
    """The provider called ``key``; KeyError for an unknown one."""
    return PROVIDERS[key]
