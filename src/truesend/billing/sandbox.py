"""The settings that point billing at the sandbox; what it knows is in its own docs."""

from __future__ import annotations

_PLANS = ("starter", "business", "premium")


def settings(url: str) -> dict[str, str]:
    """Setting names without prefix, and their values for a sandbox at ``url`` (no trailing slash)."""
    prices = (f"{plan}=price_sandbox_{plan}_{every}" for plan in _PLANS for every in ("monthly", "yearly"))
    return {
        "STRIPE_API_URL": url,
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
        "STRIPE_WEBHOOK_SECRET": "whsec_sandbox",
        "STRIPE_PRICES": ",".join(prices),
    }
