"""The hosted page of Checkout, `/c/pay/{id}`: what Stripe shows a person who pays."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.pages import render
from truesend_sandbox.stripe import checkout, objects, timers
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.stripe.words import amount, every
from truesend_sandbox.world import WORLD, World

_CARDS = {"pay": "good", "pay_once": "declined", "start": "none"}


def _load(world: World, identifier: str) -> Thing:
    with world.store.write():
        timers.catch_up(world)
    session = objects.find(world, "checkout.session", identifier)
    if session is None:
        raise web.HTTPNotFound(text="There is no such payment page.")
    return session


def _show(
    world: World, session: Thing, *, status: int = 200, problem: str = "", typed: str = ""
) -> web.Response:
    now = world.clock.now()
    sold = []
    for price, quantity in checkout.lines(world, session):
        product = objects.find(world, "product", price["product"])
        name = product["name"] if product else price["id"]
        sold.append(
            {"name": name, "quantity": quantity, "price": f"{amount(price, quantity)} {every(price)}"}
        )
    details = session["customer_details"] or {}
    return render(
        world,
        "stripe_checkout.html",
        status=status,
        session=session,
        sold=sold,
        trial_end=checkout.trial_end(session, now),
        needs_card=checkout.needs_card(session, now),
        email=typed or details.get("email") or session["customer_email"] or "",
        known=session["customer"] is not None,
        problem=problem,
    )


def _is_gone(world: World, customer: str | None) -> bool:
    found = objects.find(world, "customer", customer) if customer is not None else None
    return found is not None and bool(found.get("deleted"))


async def show(request: web.Request) -> web.StreamResponse:
    """The page as it is now."""
    world = request.app[WORLD]
    return _show(world, _load(world, request.match_info["id"]))


async def act(request: web.Request) -> web.StreamResponse:
    """A button: `pay`, `pay_once` (the card fails from the next time on), `decline`, `start` (no card), `cancel`."""
    world = request.app[WORLD]
    session = _load(world, request.match_info["id"])
    form = await request.post()
    wish, now = str(form.get("act", "")), world.clock.now()
    if wish == "cancel":
        if session["cancel_url"] is None:
            return _show(world, session, problem="This shop has no page to go back to.")
        raise web.HTTPSeeOther(session["cancel_url"])
    if session["status"] != "open":
        return _show(world, session, status=409)
    email = str(form.get("email") or session["customer_email"] or "")
    if _is_gone(world, session["customer"]):
        return _show(world, session, status=409, problem="There is no such customer any more.")
    if session["customer"] is None:
        try:
            email = normal_address(email)
        except ValueError:
            return _show(
                world, session, status=400, problem="Type the email address the receipt goes to.", typed=email
            )
    if wish == "decline":
        with world.store.write():
            checkout.declined(world, session, email, now)
        return _show(
            world, session, status=402, problem="Your card was declined. Try another one.", typed=email
        )
    if wish not in _CARDS or (wish == "start" and checkout.needs_card(session, now)):
        raise web.HTTPBadRequest(text="This page has no such button.")
    with world.store.write():
        checkout.complete(world, session, email, _CARDS[wish], now)
    raise web.HTTPSeeOther(str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"]))
