"""The page on which an administrator at a provider permits Truesend for everybody, to be forwarded to one."""

from __future__ import annotations

from collections.abc import Iterable

from truesend.connections.return_address import redirect_uri
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.providers.errors import ProviderError


def url_for(code: str, provider: str, capabilities: Iterable[str]) -> str:
    """Where it is, when ``code`` is a cause that an administrator's permission ends; else empty."""
    if code not in {"admin_policy", "admin_consent_needed"}:
        return ""
    return url(provider, capabilities)


def url(provider: str, capabilities: Iterable[str]) -> str:
    """Where it is; empty where the provider has none, or there is no client to permit."""
    adapter = registry.provider(provider)
    build = getattr(adapter, "admin_consent_url", None)
    if build is None:
        return ""
    wanted = [one for one in adapter.capabilities if one in set(capabilities)] or [Capability.SEND]
    try:
        return str(build(wanted, redirect_uri(provider)))
    except ProviderError:
        return ""
