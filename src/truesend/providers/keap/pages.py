"""Pages of Keap's consent that never come back to the application, told by what they are about.

Keap publishes none of their words, and nobody has recorded them: what stands here describes them.
"""

from __future__ import annotations

from truesend.providers.contract import DeadEnd

PAGES: tuple[DeadEnd, ...] = (
    DeadEnd(
        "The app can’t be connected: something about the redirect address, redirect_uri, or https",
        "redirect_mismatch",
    ),
    DeadEnd("The app isn’t allowed here: an administrator has turned off its access", "admin_policy"),
    DeadEnd("The application or its client id is not known", "client_unknown"),
    DeadEnd("You can’t use this Keap app: your user was deactivated or removed", "account_gone"),
    DeadEnd("You have not allowed the app; you may close this page", "consent_denied"),
    DeadEnd("The scope is not valid", "scope_refused"),
)
