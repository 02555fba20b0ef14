"""Where providers send people back to: one address for each, built from `PUBLIC_URL`."""

from __future__ import annotations

from truesend import env


def redirect_uri(provider: str) -> str:
    """The address to register at the provider, exactly."""
    return f"{env.public_url()}/oauth/{provider}/callback"
