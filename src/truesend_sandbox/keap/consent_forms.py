"""The two forms of Keap's consent: who, then which app and yes or no."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.keap import authorize, error_pages, people
from truesend_sandbox.keap.asked import load
from truesend_sandbox.world import WORLD


async def account(request: web.Request) -> web.StreamResponse:
    """Who: one of the list, or an address typed, which makes an account."""
    world, form = request.app[WORLD], await request.post()
    asked = load(world, str(form.get("request", "")))
    if asked is None:
        return error_pages.show(world, "expired", app="This app")
    if form.get("decision") == "cancel":
        return authorize.deny(world, asked)
    chosen, typed = str(form.get("account", "")), str(form.get("address", "")).strip()
    # Who types an address means it, whichever account of the list is still marked.
    typed_now = bool(typed) and typed != str(form.get("prefilled", ""))
    with world.store.write():
        if chosen and chosen != "another" and not typed_now:
            found = accounts.find(world, people.PROVIDER, chosen)
            if found is None:
                return authorize.sign_in(world, asked, problem="That account is gone. Choose another one.")
        else:
            try:
                found = accounts.ensure(world, people.PROVIDER, accounts.normal_address(typed))
            except ValueError:
                return authorize.sign_in(
                    world, asked, problem="Enter an email address, for example sam@example.com.", typed=typed
                )
        return authorize.choose(world, asked, found)


async def another(request: web.Request) -> web.StreamResponse:
    """Back to the sign-in."""
    world = request.app[WORLD]
    asked = load(world, request.query.get("request", ""))
    if asked is None:
        return error_pages.show(world, "expired", app="This app")
    return authorize.sign_in(world, asked)


async def decide(request: web.Request) -> web.StreamResponse:
    """Allow or Cancel."""
    world, form = request.app[WORLD], await request.post()
    asked = load(world, str(form.get("request", "")))
    found = accounts.find(world, people.PROVIDER, str(form.get("account", "")))
    if asked is None or found is None:
        return error_pages.show(world, "expired", app="This app")
    with world.store.write():
        world.store.run("DELETE FROM authorizations WHERE id = ?", asked.id)
        if form.get("decision") != "allow":
            return authorize.deny(world, asked)
        tenant = str(form.get("tenant", "")).removesuffix(people.HOST)
        return authorize.approve(world, asked, found, tenant)
