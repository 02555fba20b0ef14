"""Pages of Google's consent that never return to the application, with the texts Google shows."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from truesend_sandbox.pages import render
from truesend_sandbox.world import World


@dataclass(frozen=True)
class ErrorPage:
    """`{app}` in the texts is the client's name."""

    status: int
    title: str
    text: str
    for_developers: str = ""


PAGES: dict[str, ErrorPage] = {
    "redirect_uri_mismatch": ErrorPage(
        400,
        "Access blocked: This app’s request is invalid",
        "You can’t sign in because {app} sent an invalid request. You can try again later, or contact the"
        " developer about this issue.",
        "You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy. If you're"
        " the app developer, register the redirect URI in the Google Cloud Console.",
    ),
    "invalid_client": ErrorPage(
        401,
        "Access blocked: Authorization Error",
        "The OAuth client was not found.",
        "Error 401: invalid_client",
    ),
    "deleted_client": ErrorPage(401, "Access blocked: Authorization Error", "The OAuth client was deleted."),
    "access_denied": ErrorPage(
        403,
        "Access blocked: {app} has not completed the Google verification process",
        "{app} has not completed the Google verification process. The app is currently being tested, and can"
        " only be accessed by developer-approved testers. If you think you should have access, contact the"
        " developer.",
    ),
    "admin_policy_enforced": ErrorPage(
        400,
        "Access blocked: Your institution's admin needs to review {app}",
        "Access to your account data is restricted by policies within your organization. Please contact the"
        " administrator of your organization for more information.",
    ),
    "org_internal": ErrorPage(
        403,
        "Access blocked: {app} can only be used within its organization",
        "This client is restricted to users within its organization.",
    ),
    "disallowed_useragent": ErrorPage(
        403,
        "Access blocked: {app}’s request does not comply with Google’s policies",
        "{app}’s request does not comply with Google’s “Use secure browsers” policy. If this app has a"
        " website, you can open a web browser and try signing in from there.",
    ),
    "invalid_request": ErrorPage(
        400,
        "Access blocked: Authorization Error",
        "The request is missing a required parameter, or a parameter is invalid.",
    ),
    "invalid_scope": ErrorPage(
        400, "Access blocked: Authorization Error", "Some requested scopes were invalid."
    ),
    "unsupported_response_type": ErrorPage(
        400, "Access blocked: Authorization Error", "Invalid response_type."
    ),
}


def show(world: World, name: str, *, app: str, details: str = "", account: str | None = None) -> web.Response:
    """The page: nothing on it leads back to the application."""
    page = PAGES[name]
    return render(
        world,
        "google_error.html",
        status=page.status,
        title=page.title.format(app=app),
        text=page.text.format(app=app),
        code=f"Error {page.status}: {name}",
        for_developers=page.for_developers,
        details=details,
        account=account,
    )
