"""Pages of Keap's consent that never return to the application. Their words are ours: none are recorded."""

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


PAGES: dict[str, ErrorPage] = {
    "invalid_client": ErrorPage(
        401, "We don't know this application", "The client id is wrong, or the application was removed."
    ),
    "redirect_uri_mismatch": ErrorPage(
        400,
        "{app} can't be connected",
        "The redirect address does not match the one that is registered for the application, or is not https.",
    ),
    "unsupported_response_type": ErrorPage(
        400, "{app} can't be connected", "The response type must be code."
    ),
    "invalid_scope": ErrorPage(400, "{app} can't be connected", "The only scope there is is full."),
    "admin_block": ErrorPage(
        403,
        "{app} isn't allowed here",
        "An administrator of this Keap app has turned off access for {app}. Ask them to allow it.",
    ),
    "no_user": ErrorPage(
        403, "You can't use this Keap app", "Your user was deactivated or removed. Ask an administrator."
    ),
    "access_denied": ErrorPage(403, "You have not allowed {app}", "You may close this page."),
    "expired": ErrorPage(400, "This sign-in has ended", "Go back to the application and start again."),
}


def show(world: World, name: str, *, app: str, details: str = "", account: str | None = None) -> web.Response:
    """The page: nothing on it leads back to the application."""
    page = PAGES[name]
    return render(
        world,
        "keap_error.html",
        status=page.status,
        title=page.title.format(app=app),
        text=page.text.format(app=app),
        code=f"Error {page.status}: {name}",
        details=details,
        account=account,
    )
