"""Whose database this is, and whether this process may act in its name."""

from __future__ import annotations

from truesend import env
from truesend.diagnostics.findings import Finding, Fix, ok, unproven, wrong
from truesend.organizations.installation import found, sentence
from truesend.organizations.models import Installation, User


def installation() -> Finding:
    """A copy, a restored backup or other settings stand still until somebody adopts them."""
    check = "installation"
    if not Installation.objects.exists():
        return unproven(
            check, "Nobody has used this database yet; the first start makes it this installation's."
        )
    seen = found()
    if seen.reasons:
        return wrong(
            check,
            sentence(seen.row, seen.reasons),
            Fix(
                "Where that installation is stopped for good, or this copy is to live on its own, take it over; else "
                "correct the settings that differ.",
                command="truesend adopt",
            ),
        )
    if not User.objects.exists():
        return unproven(
            check,
            "Nobody has an account here yet.",
            Fix(
                "Sign up: the first account is the installation's operator.",
                page=f"{env.public_url()}/signup",
            ),
        )
    if not User.objects.filter(is_operator=True, is_active=True).exists():
        return wrong(
            check,
            "It has no operator, so nobody can set up providers.",
            Fix(
                "Make one.",
                command="truesend user create --email YOU --password PASSWORD --organization NAME --operator",
            ),
        )
    return ok(check, f"Installation {seen.row.installation.hex[:8]}, which sends and renews.")
