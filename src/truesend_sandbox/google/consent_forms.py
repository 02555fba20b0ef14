"""The two forms of Google's consent: which account, and yes or no."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.google import authorize
from truesend_sandbox.google import scopes as google_scopes
from truesend_sandbox.google.asked import back, load
from truesend_sandbox.pages import render
from truesend_sandbox.world import WORLD, World


def _gone(world: World) -> web.Response:
    return render(
        world,
        "google_error.html",
        status=400,
        title="This sign-in has ended",
        text="Go back to the application and start again.",
        code="Error 400: invalid_request",
        for_developers="",
        details="",
        account=None,
    )


async def account(request: web.Request) -> web.StreamResponse:
    """Which account: one of the list, or an address typed, which makes an account."""
    world, form = request.app[WORLD], await request.post()
    asked = load(world, str(form.get("request", "")))
    if asked is None:
        return _gone(world)
    if form.get("decision") == "cancel":
        return back(asked, {"error": "access_denied"})
    chosen, typed = str(form.get("account", "")), str(form.get("address", "")).strip()
    # Who types an address means it, whichever account of the list is still marked.
    typed_now = bool(typed) and typed != str(form.get("prefilled", ""))
    with world.store.write():
        if chosen and chosen != "another" and not typed_now:
            found = accounts.find(world, "google", chosen)
            if found is None:
                return authorize.choose(world, asked, problem="That account is gone. Choose another one.")
        else:
            try:
                found = accounts.ensure(world, "google", accounts.normal_address(typed))
            except ValueError:
                return authorize.choose(
                    world, asked, problem="Enter an email address, for example sam@gmail.com.", typed=typed
                )
        return authorize.continue_as(world, asked, found)


async def another(request: web.Request) -> web.StreamResponse:
    """Back from the consent to the chooser."""
    world = request.app[WORLD]
    asked = load(world, request.query.get("request", ""))
    return _gone(world) if asked is None else authorize.choose(world, asked)


async def decide(request: web.Request) -> web.StreamResponse:
    """Allow or Cancel."""
    world, form = request.app[WORLD], await request.post()
    asked = load(world, str(form.get("request", "")))
    found = accounts.find(world, "google", str(form.get("account", "")))
    if asked is None or found is None:
        return _gone(world)
    with world.store.write():
        world.store.run("DELETE FROM authorizations WHERE id = ?", asked.id)
        if form.get("decision") != "allow":
            return back(asked, {"error": "access_denied"})
        given = asked.scopes
        if form.get("boxes") == "yes":
            ticked = {str(value) for value in form.getall("scope", [])}
            given = tuple(scope for scope in given if scope in google_scopes.SIGN_IN or scope in ticked)
        return authorize.approve(world, asked, found, given, shown=True)
