"""A token endpoint's good answer, read as a grant (RFC 6749, 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truesend.providers.errors import ProviderError
from truesend.providers.shapes import Grant

# A lifetime beyond this is no lifetime of an access token; it would also not fit into a date.
_LONGEST_LIFETIME = 30 * 24 * 3600


def grant(token: Mapping[str, Any]) -> Grant:
    """The grant without an identity. Raises :class:`ProviderError` where it holds no access token or no lifetime."""
    access, lifetime = token.get("access_token"), token.get("expires_in", 3600)
    if not is_visible(access):
        raise ProviderError("provider_garbage", "The token answer holds no access token.")
    try:
        expires_in = int(lifetime)
    except (TypeError, ValueError, OverflowError):
        raise ProviderError("provider_garbage", "The token answer names no lifetime.") from None
    refresh_token = token.get("refresh_token")
    scope = token.get("scope")
    return Grant(
        access_token=str(access),
        expires_in=min(max(1, expires_in), _LONGEST_LIFETIME),
        refresh_token=str(refresh_token) if is_visible(refresh_token) else None,
        scopes=frozenset(one for one in scope.split() if is_visible(one) and len(one) <= 200)
        if isinstance(scope, str)
        else frozenset(),
        refresh_expires_in=_seconds(token.get("refresh_token_expires_in")),
    )


def _seconds(value: object) -> int | None:
    """A time that the provider names, where it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else None


def is_visible(value: object) -> bool:
    """Text that can stand in a header: tokens and scopes are visible ASCII (RFC 6749, appendix A)."""
    return isinstance(value, str) and value != "" and all("!" <= c <= "~" for c in value)
