"""How an operator gets a client at Keap.

Labels: Keap's developer portal (keys.developer.keap.com), as guides of integrators name them (2025, 2026). That the
address of return has to be https: "Getting Started with OAuth2" of the portal; that none is registered: those guides.
"""

from __future__ import annotations

from truesend.providers.setup import Scope, Setup, Step

# "Personal Access Tokens and Service Account Keys" of the portal.
KEY_STEPS = (
    "In Keap, as an administrator, open “Settings” and there “API Settings”.",
    "Make a Service Account Key, not a Personal Access Token: both begin with KeapAK and Keap does not tell us which "
    "it is, but a token can do no more than the person who made it. It is shown in full this once.",
    "Paste it here.",
)

SETUP = Setup(
    console="Keap developer portal",
    console_url="https://keys.developer.keap.com/",
    labels=("Key", "Secret"),
    redirect_label="",
    https_only=True,
    steps=(
        Step(
            "Sign in to the developer portal, or make a developer account there: it is another one than Keap's own.",
            "https://keys.developer.keap.com/",
        ),
        Step("Press your name at the top right, choose “Apps”, and press “+ New App”."),
        Step("Give it a name that your people recognise, press “Enable” beside the API, and “Save”."),
        Step("Under “API Keys” copy “Key” and “Secret”."),
    ),
    scopes=(
        Scope("full", "the only one there is: to send, to read what was sent, to find and make contacts"),
    ),
    notes=(
        "Keap sends people back to https addresses only, so this installation needs one, on a trial as well.",
        "No address is registered at Keap: the one below is sent along with each consent.",
        "One client may make 150,000 calls a day and 1,500 a minute for all who use it; an email costs about four.",
        "A team that sends from its own Keap alone can do without a client: with a Service Account Key.",
    ),
    fixes={
        "client_unknown": "Copy “Key” of the app again, whole.",
        "client_secret_wrong": "Copy “Key” and “Secret” of the app again; both belong to the same one.",
        "redirect_mismatch": "Give this installation an address that begins with https:// (TRUESEND_PUBLIC_URL).",
    },
)
