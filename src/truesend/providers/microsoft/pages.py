"""Pages at Microsoft that never come back to the application, by the words a person can read there.

Numbers and texts: "reference-error-codes" of the identity platform's documentation; the approval pages: "Configure the
admin consent workflow" and "User and admin consent". Which errors show a page is documented nowhere.
"""

from __future__ import annotations

from truesend.providers.contract import DeadEnd

PAGES: tuple[DeadEnd, ...] = (
    DeadEnd(
        "Need admin approval · … needs permission to access resources in your organization that only an admin can "
        "grant (AADSTS90094)",
        "admin_consent_needed",
    ),
    DeadEnd("Approval required · Request approval (AADSTS90095)", "admin_consent_needed"),
    DeadEnd(
        "AADSTS50011: The redirect URI … does not match the redirect URIs configured", "redirect_mismatch"
    ),
    DeadEnd("AADSTS700016: Application with identifier … was not found in the directory", "client_unknown"),
    DeadEnd("AADSTS90002: Tenant … not found", "tenant_unknown"),
    DeadEnd("AADSTS50194: Application … is not configured as a multi-tenant application", "org_internal"),
    DeadEnd("AADSTS50020: User account … does not exist in tenant …", "org_internal"),
    DeadEnd("AADSTS53003: Access has been blocked by Conditional Access policies", "admin_policy"),
    DeadEnd("AADSTS7000112: Application … is disabled", "admin_policy"),
)
