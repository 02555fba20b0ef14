"""The forms of Microsoft's consent: which account, yes or no, and the request for an administrator's approval."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.microsoft import authorize
from truesend_sandbox.microsoft.asked import back, load
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.pages import render
from truesend_sandbox.world import WORLD, World


def gone(world: World) -> web.Response:
    """The screen is too old, or was answered already."""
    return render(
        world,
        "microsoft_error.html",
        status=400,
        name="gone",
        title="This sign-in has ended",
        code=None,
        text="Go back to the application and start again.",
        app="",
        account=None,
        request=None,
    )


def picked(world: World, form: dict[str, str]) -> Account | str:
    """The account of the chooser's form, made when its address is new; or what is wrong, in a sentence."""
    chosen, typed = form.get("account", ""), form.get("address", "").strip()
    # Who types an address means it, whichever account of the list is still marked.
    typed_now = bool(typed) and typed != form.get("prefilled", "")
    if chosen and chosen != "another" and not typed_now:
        return accounts.find(world, PROVIDER, chosen) or "That account is gone. Choose another one."
    try:
        return accounts.ensure(world, PROVIDER, accounts.normal_address(typed))
    except ValueError:
        return "Enter an email address, for example sam@contoso.com."


async def posted(request: web.Request) -> dict[str, str]:
    """The texts of a form."""
    return {name: str(value) for name, value in (await request.post()).items()}


async def account(request: web.Request) -> web.StreamResponse:
    """Which account: one of the list, or an address typed, which makes an account."""
    world, form = request.app[WORLD], await posted(request)
    asked = load(world, form.get("request", ""))
    if asked is None:
        return gone(world)
    if form.get("decision") == "cancel":
        return authorize.declined(world, asked)
    with world.store.write():
        found = picked(world, form)
        if isinstance(found, str):
            return authorize.choose(world, asked, problem=found, typed=form.get("address", "").strip())
        return authorize.continue_as(world, asked, found)


async def another(request: web.Request) -> web.StreamResponse:
    """Back from the consent to the chooser."""
    world = request.app[WORLD]
    asked = load(world, request.query.get("request", ""))
    return gone(world) if asked is None else authorize.choose(world, asked)


async def decide(request: web.Request) -> web.StreamResponse:
    """Allow or Cancel."""
    world, form = request.app[WORLD], await posted(request)
    asked = load(world, form.get("request", ""))
    found = accounts.find(world, PROVIDER, form.get("account", ""))
    if asked is None or found is None:
        return gone(world)
    with world.store.write():
        if form.get("decision") != "allow":
            return authorize.declined(world, asked)
        # What has changed since the screen was shown counts: a block, a policy.
        stopped = authorize.refused(world, asked, found)
        return stopped or authorize.approve(world, asked, found, for_everyone=form.get("everyone") == "yes")


async def without_approval(request: web.Request) -> web.StreamResponse:
    """ "Return to the application without granting consent": comes back like a Cancel."""
    world = request.app[WORLD]
    asked = load(world, request.query.get("request", ""))
    if asked is None:
        return gone(world)
    return back(asked, {"error": "access_denied", "error_subcode": "cancel"})


async def ask_approval(request: web.Request) -> web.StreamResponse:
    """The request for approval is sent; nothing comes back to the application."""
    world, form = request.app[WORLD], await posted(request)
    asked = load(world, form.get("request", ""))
    if asked is None:
        return gone(world)
    return render(
        world,
        "microsoft_error.html",
        name="approval_sent",
        title="Request sent",
        code=None,
        text="Your admin has been sent your request. You will get an email when it has been answered; then"
        " start again in the application.",
        app=asked.app,
        account=None,
        request=None,
    )
