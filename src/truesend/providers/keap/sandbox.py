"""The settings that point Keap at the sandbox instead."""

from __future__ import annotations


def settings(url: str) -> dict[str, str]:
    """Setting names without prefix, and their values for a sandbox at ``url`` (no trailing slash)."""
    return {
        "KEAP_CLIENT_ID": "sandbox-keap-client",
        "KEAP_CLIENT_SECRET": "sandbox-keap-secret",
        "KEAP_AUTHORIZE_URL": f"{url}/app/oauth/authorize",
        "KEAP_TOKEN_URL": f"{url}/keap/token",
        "KEAP_API_URL": f"{url}/crm/rest",
        "KEAP_MAIL_URL": f"{url}/keap/sent",
    }
