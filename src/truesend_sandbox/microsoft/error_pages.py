"""Pages of Microsoft's sign-in that never return to the application, with the texts Microsoft shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from truesend_sandbox.microsoft.aadsts import CODES
from truesend_sandbox.pages import render
from truesend_sandbox.world import World

_TROUBLE = "Sorry, but we’re having trouble signing you in."


@dataclass(frozen=True)
class ErrorPage:
    """`code`: the AADSTS number shown; without a `text` its text of the table is."""

    title: str
    code: int | None = None
    text: str = ""
    status: int = 200


PAGES: dict[str, ErrorPage] = {
    "redirect_uri_mismatch": ErrorPage(_TROUBLE, 50011),
    "app_not_found": ErrorPage(_TROUBLE, 700016),
    "tenant_not_found": ErrorPage(_TROUBLE, 90002),
    "single_tenant": ErrorPage(_TROUBLE, 50194),
    "external_user": ErrorPage(_TROUBLE, 50020),
    "app_disabled": ErrorPage(_TROUBLE, 7000112),
    "invalid_request": ErrorPage(_TROUBLE, 900144, status=400),
    "admin_approval": ErrorPage(
        "Need admin approval",
        90094,
        "{app} needs permission to access resources in your organization that only an admin can grant. Ask"
        " an admin to grant permission to this app before you can use it.",
    ),
    "approval_request": ErrorPage(
        "Approval required",
        90095,
        "This app requires your admin's approval to: {permissions}. Enter justification for requesting this"
        " app.",
    ),
    "conditional_access": ErrorPage(
        "You cannot access this right now",
        53003,
        "Your sign-in was successful but does not meet the criteria to access this resource. For example, you"
        " might be signing in from a browser, app, or location that is restricted by your admin.",
    ),
    "account_disabled": ErrorPage(
        "Sign in",
        50057,
        "Your account has been locked. Contact your support person to unlock it, then try again.",
    ),
    "account_not_found": ErrorPage(
        "Sign in",
        50034,
        "This username may be incorrect. Make sure you typed it correctly. Otherwise, contact your admin.",
    ),
    "work_only": ErrorPage(
        "Sign in",
        None,
        "You can’t sign in here with a personal account. Use your work or school account instead.",
    ),
    "personal_only": ErrorPage(
        "Sign in",
        None,
        "You can’t sign in here with a work or school account. Use your personal account instead.",
    ),
    "not_for_consumers": ErrorPage(
        "We're unable to complete your request",
        None,
        "unauthorized_client: The client does not exist or is not enabled for consumers. If you are the"
        " application developer, configure a new application through the App Registrations in the Azure Portal"
        " at https://go.microsoft.com/fwlink/?linkid=2083908.",
    ),
}
_UNKNOWN = {
    "app": "Truesend",
    "client": "sandbox-microsoft-client",
    "redirect_uri": "",
    "tenant": "common",
    "user": "{EmailHidden}",
    "issuer": "live.com",
    "parameter": "client_id",
    "permissions": "",
}


def show(
    world: World,
    name: str,
    values: Mapping[str, str],
    *,
    account: str | None = None,
    request: str | None = None,
) -> web.Response:
    """The page. With `request`, the id of an open screen, a page about approval leads back without it."""
    page = PAGES[name]
    full = {**_UNKNOWN, **values}
    text = page.text or f"AADSTS{page.code}: {CODES[page.code or 0].text}"
    return render(
        world,
        "microsoft_error.html",
        status=page.status,
        name=name,
        title=page.title,
        code=page.code if page.text else None,
        text=text.format(**full),
        app=full["app"],
        account=account,
        request=request if name in ("admin_approval", "approval_request") else None,
    )
