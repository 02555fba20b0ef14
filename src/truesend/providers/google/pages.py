"""Error pages at Google that never come back to the application (Google, "OAuth 2.0 for Web Server Applications":
"may display user-facing error messages instead of the expected flows"), by the words a person can read there."""

from __future__ import annotations

from truesend.providers.contract import DeadEnd

PAGES: tuple[DeadEnd, ...] = (
    DeadEnd("This app’s request is invalid · Error 400: redirect_uri_mismatch", "redirect_mismatch"),
    DeadEnd(
        "Your institution’s admin needs to review this app · Error 400: admin_policy_enforced", "admin_policy"
    ),
    DeadEnd(
        "The app has not completed the Google verification process · Error 403: access_denied", "not_a_tester"
    ),
    DeadEnd("The app can only be used within its organization · Error 403: org_internal", "org_internal"),
    DeadEnd("The OAuth client was not found · Error 401: invalid_client", "client_unknown"),
    DeadEnd("The OAuth client was deleted · Error 401: deleted_client", "client_unknown"),
    DeadEnd(
        "The request does not comply with Google’s policies · Error 403: disallowed_useragent",
        "browser_refused",
    ),
    DeadEnd("Some requested scopes were invalid · Error 400: invalid_scope", "scope_refused"),
)
