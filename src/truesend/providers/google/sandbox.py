"""The settings that point Google at the sandbox instead."""

from __future__ import annotations


def settings(url: str) -> dict[str, str]:
    """Setting names without prefix, and their values for a sandbox at ``url`` (no trailing slash)."""
    return {
        "GOOGLE_CLIENT_ID": "sandbox-google-client",
        "GOOGLE_CLIENT_SECRET": "sandbox-google-secret",
        "GOOGLE_AUTHORIZE_URL": f"{url}/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URL": f"{url}/token",
        "GOOGLE_REVOKE_URL": f"{url}/revoke",
        "GOOGLE_USERINFO_URL": f"{url}/v1/userinfo",
        "GOOGLE_JWKS_URL": f"{url}/oauth2/v3/certs",
        "GOOGLE_API_URL": url,
        "GOOGLE_MAIL_URL": f"{url}/mail",
    }
