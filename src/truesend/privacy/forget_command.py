"""``truesend forget``: a recipient is forgotten from the command line."""

from __future__ import annotations

from truesend.privacy import forget


def run(address: str, organization: str) -> str:
    """The sentence to print. Raises ``LookupError`` and ``ValueError`` with sentences."""
    done = forget.forget(forget.organization_named(organization), address, by="the command line")
    if not done.copies:
        return f"Nothing was ever sent to {done.address} by {organization}."
    signals = _many(done.signals, "open or click", "opens and clicks")
    requests, emails = _many(done.requests, "request", "requests"), _many(done.emails, "email", "emails")
    return (
        f"{done.address} is forgotten in {organization}: {signals} and {requests} erased, "
        f"{emails} no longer counted."
    )


def _many(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"
