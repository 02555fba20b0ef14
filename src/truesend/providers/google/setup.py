"""How an operator gets a client at Google.

Labels: Google Cloud console, "Google Auth Platform" (Branding, Audience, Data Access, Clients), as its help pages name
them (2026). Rules for redirect addresses and what Testing and Internal mean: "OAuth 2.0 for Web Server Applications",
"Using OAuth 2.0 to Access Google APIs".
"""

from __future__ import annotations

from truesend.providers.google.oauth import READ_SCOPE, SEND_SCOPE
from truesend.providers.setup import Scope, Setup, Step

SETUP = Setup(
    console="Google Cloud console",
    console_url="https://console.cloud.google.com/auth/clients",
    labels=("Client ID", "Client secret"),
    redirect_label="Authorized redirect URIs",
    names_a_host=True,
    can_be_silent=True,
    redirect_refused="redirect_uri_mismatch",
    steps=(
        Step(
            "Choose a project at the top of the page, or make one with “New project”.",
            "https://console.cloud.google.com/projectcreate",
        ),
        Step(
            "Under “APIs & Services” → “Library” find “Gmail API” and press “Enable”.",
            "https://console.cloud.google.com/apis/library/gmail.googleapis.com",
        ),
        Step(
            "Under “Google Auth Platform” press “Get started”: a name that your people recognise, and an address they "
            "can write to.",
            "https://console.cloud.google.com/auth/branding",
        ),
        Step(
            "Under “Audience” choose “Internal” if everybody has an account of your Google Workspace, else "
            "“External”, and there “Publish app” once it works.",
            "https://console.cloud.google.com/auth/audience",
        ),
        Step(
            "Under “Data Access” press “Add or remove scopes” and paste the scopes below.",
            "https://console.cloud.google.com/auth/scopes",
            needs_scopes=True,
        ),
        Step(
            "Under “Clients” press “Create client”, choose the type “Web application”, and below “Authorized redirect "
            "URIs” press “Add URI” and paste the address below.",
            "https://console.cloud.google.com/auth/clients/create",
            needs_redirect=True,
        ),
        Step("Copy “Client ID” and “Client secret” from what opens. The secret is shown this once."),
    ),
    scopes=(
        Scope("openid", "to know whose account it is"),
        Scope("email", "to know its address"),
        Scope(SEND_SCOPE, "to send"),
        Scope(READ_SCOPE, "only where mailboxes are to be read"),
    ),
    notes=(
        "“Internal” avoids the seven days: while an “External” app is in “Testing”, every permission ends after seven "
        "days, and only up to 100 listed test users can give one. After “Publish app” people have to give theirs anew.",
        "To send is a sensitive scope: Google verifies an “External” app before strangers may use it without a "
        "warning.",
        "To read is a restricted scope: a server that does it needs a security assessment (CASA) every year. Sending "
        "does without it.",
    ),
    fixes={
        "client_unknown": "Copy “Client ID” again, whole: it ends in .apps.googleusercontent.com. A client that was "
        "deleted can be restored for 30 days, under “Clients”.",
        "client_secret_wrong": "Open the client under “Clients” and copy its secret again, or press “Add secret” and "
        "use the new one.",
        "redirect_mismatch": "Open the client under “Clients” and add the address below to “Authorized "
        "redirect URIs”, letter for letter. It can take some minutes to hold.",
        "api_disabled": "Under “APIs & Services” → “Library” find “Gmail API” and press “Enable”.",
    },
)
