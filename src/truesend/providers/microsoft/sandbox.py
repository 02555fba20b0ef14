"""The settings that point Microsoft at the sandbox instead."""

from __future__ import annotations


def settings(url: str) -> dict[str, str]:
    """Setting names without prefix, and their values for a sandbox at ``url`` (no trailing slash)."""
    return {
        "MICROSOFT_CLIENT_ID": "sandbox-microsoft-client",
        "MICROSOFT_CLIENT_SECRET": "sandbox-microsoft-secret",
        "MICROSOFT_AUTHORIZE_URL": f"{url}/{{tenant}}/oauth2/v2.0/authorize",
        "MICROSOFT_TOKEN_URL": f"{url}/{{tenant}}/oauth2/v2.0/token",
        "MICROSOFT_ADMIN_CONSENT_URL": f"{url}/{{tenant}}/v2.0/adminconsent",
        "MICROSOFT_USERINFO_URL": f"{url}/oidc/userinfo",
        "MICROSOFT_JWKS_URL": f"{url}/common/discovery/v2.0/keys",
        "MICROSOFT_API_URL": f"{url}/v1.0",
        "MICROSOFT_MAIL_URL": f"{url}/outlook",
        "MICROSOFT_PERSONAL_MAIL_URL": f"{url}/outlook",
    }
