"""How an operator gets a client at Microsoft.

Labels: Microsoft Entra admin center, "App registrations" ("Register an application", "Add credentials", "Configure
permissions", 2025-2026). Rules for redirect URIs: "Redirect URI (reply URL) restrictions". Who may consent: "Configure
how users consent to applications" and its managed policy of 2025.
"""

from __future__ import annotations

from truesend.providers.microsoft.oauth import READ_SCOPE, SEND_SCOPE
from truesend.providers.setup import Extra, Scope, Setup, Step

_REGISTRATIONS = "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade/quickStartType~/null"

SETUP = Setup(
    console="Microsoft Entra admin center",
    console_url=_REGISTRATIONS,
    labels=("Application (client) ID", "Client secret (its Value)"),
    redirect_label="Redirect URIs",
    steps=(
        Step(
            "Under “App registrations” press “New registration” and give it a name your people know.",
            _REGISTRATIONS,
        ),
        Step(
            "Under “Supported account types” choose “Accounts in any organizational directory and personal Microsoft "
            "accounts”, or “this organizational directory only” and set the tenant below to its id."
        ),
        Step(
            "Under “Redirect URI” choose the platform “Web”, paste the address below, and press “Register”.",
            needs_redirect=True,
        ),
        Step("Copy “Application (client) ID” from “Overview”."),
        Step(
            "Under “Certificates & secrets” press “New client secret”, then “Add”, and copy its “Value” at once, not "
            "its “Secret ID”. It is shown this once."
        ),
        Step(
            "Under “API permissions” press “Add a permission”, “Microsoft Graph”, “Delegated permissions”, tick the "
            "scopes below and press “Add permissions”.",
            needs_scopes=True,
        ),
    ),
    scopes=(
        Scope("openid", "to know whose account it is"),
        Scope("profile", "to know its name"),
        Scope("email", "to know its address"),
        Scope("offline_access", "to stay connected"),
        Scope("User.Read", "to know its mailbox's address"),
        Scope(SEND_SCOPE.rpartition("/")[2], "to send"),
        Scope(
            READ_SCOPE.rpartition("/")[2],
            "only where mailboxes are to be read; sending then goes by way of a draft, which can be looked up",
        ),
    ),
    notes=(
        "By Microsoft's default policy the people of an organization may permit sending by themselves, reading only "
        "through an administrator: Truesend then shows the link to forward to one.",
        "While the publisher of a multi-tenant app is not verified, other organizations may have to ask their "
        "administrator even for sending.",
        "Microsoft takes http only for localhost; every other address needs https.",
    ),
    fixes={
        "client_unknown": "Copy “Application (client) ID” again from “Overview”, not “Object ID”. If the app is of one "
        "organization only, the tenant below has to be that organization's “Directory (tenant) ID”.",
        "client_secret_wrong": "Under “Certificates & secrets” press “New client secret” and copy its “Value”, not its "
        "“Secret ID”.",
        "client_secret_expired": "Under “Certificates & secrets” press “New client secret” and copy its “Value”.",
        "redirect_mismatch": "Under “Authentication” add the address below to the platform “Web”, letter for letter.",
        "tenant_unknown": "Copy “Directory (tenant) ID” from “Overview”, or leave “common”.",
        "org_internal": "Under “Authentication” choose the account types that are to sign in, or set the tenant below "
        "to the id of your organization.",
        "scope_refused": "Under “API permissions” add the scopes below as delegated permissions of Microsoft Graph.",
    },
    extras=(
        Extra(
            "TENANT",
            "Tenant",
            "Who may sign in: “common” for everybody, “organizations” for work accounts, “consumers” for personal "
            "ones, or the “Directory (tenant) ID” or domain of one organization.",
            r"common|organizations|consumers|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
            r"|([A-Za-z0-9-]+\.)+[A-Za-z]{2,}",
            "“common”, “organizations”, “consumers”, an id such as 8eaef023-2b34-4da1-9baa-8bc8c9d6a490, or a domain",
        ),
    ),
    names_a_host=True,
    can_be_silent=True,
    redirect_refused="AADSTS50011",
    key_lasts="24 months at most",
)
