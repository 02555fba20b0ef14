"""The portal's page, `/p/session/{secret}`: what a customer may do alone, and a card that can be broken for a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox.pages import render
from truesend_sandbox.stripe import cards, lifecycle, objects, periods, timers
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.stripe.switches import PROVIDER
from truesend_sandbox.stripe.words import amount, every
from truesend_sandbox.world import WORLD, World

_STAYS = 3600
"""Seconds an opened portal can be used."""
_CARDS = {"fix_card": "good", "break_card": "declined", "remove_card": "none"}


def _session(world: World, secret: str) -> Thing | None:
    """The session of that address, opened in time; None when it has ended, or its customer is gone."""
    with world.store.write():
        timers.catch_up(world)
        for session in objects.all_of(world, "billing_portal.session"):
            if session["_"]["secret"] != secret:
                continue
            if objects.need(world, "customer", session["customer"]).get("deleted"):
                return None
            now = world.clock.now()
            opened = session["_"].get("opened")
            if opened is None and now <= session["created"] + world.switches.get(PROVIDER, "portal_seconds"):
                session["_"]["opened"] = opened = now
                objects.put(world, session)
            return session if opened is not None and now <= opened + _STAYS else None
    return None


def _subscriptions(world: World, customer: str) -> list[dict[str, Any]]:
    shown = []
    for sub in objects.all_of(world, "subscription", customer):
        price = periods.first(sub)["price"]
        product = objects.find(world, "product", price["product"])
        shown.append(
            {
                "id": sub["id"],
                "name": product["name"] if product else price["id"],
                "price": price["id"],
                "cost": f"{amount(price, periods.first(sub)['quantity'])} {every(price)}",
                "status": sub["status"],
                "until": periods.end(sub),
                "ends": sub["cancel_at"],
                "lives": sub["status"] not in lifecycle.DEAD,
                "resumes": sub["status"] == "paused" or sub["cancel_at_period_end"],
            }
        )
    return shown


def _plans(world: World) -> list[dict[str, str]]:
    found = [one for one in objects.all_of(world, "price") if one["active"] and one["recurring"]]
    plans = []
    for price in reversed(found):
        product = objects.find(world, "product", price["product"])
        title = product["name"] if product else price["id"]
        plans.append({"id": price["id"], "title": f"{title}, {amount(price)} {every(price)}"})
    return plans


def _show(
    world: World, session: Thing, *, status: int = 200, said: str = "", problem: str = ""
) -> web.Response:
    customer = objects.need(world, "customer", session["customer"])
    card = objects.find(world, "payment_method", customer["invoice_settings"]["default_payment_method"])
    return render(
        world,
        "stripe_portal.html",
        status=status,
        session=session,
        customer=customer,
        card=card,
        broken=bool(card and card["_"]["declines"]),
        subscriptions=_subscriptions(world, customer["id"]),
        plans=_plans(world),
        said=said,
        problem=problem,
    )


def _over(world: World) -> web.Response:
    return render(world, "stripe_over.html", status=410)


async def show(request: web.Request) -> web.StreamResponse:
    """The page as it is now."""
    world = request.app[WORLD]
    session = _session(world, request.match_info["secret"])
    return _over(world) if session is None else _show(world, session)


async def act(request: web.Request) -> web.StreamResponse:
    """A button: `update`, `cancel_later`, `cancel_now`, `resume`, `fix_card`, `break_card`, `remove_card`."""
    world = request.app[WORLD]
    session = _session(world, request.match_info["secret"])
    if session is None:
        return _over(world)
    form = await request.post()
    wish = str(form.get("act", ""))
    with world.store.write():
        if wish in _CARDS:
            said, problem = _card(world, session["customer"], _CARDS[wish])
        else:
            sub = objects.find(world, "subscription", form.get("subscription", ""))
            if sub is None or sub["customer"] != session["customer"]:
                raise web.HTTPBadRequest(text="This page has no such subscription.")
            said, problem = _subscription(world, sub, wish, form)
    return _show(world, session, status=402 if problem else 200, said=said, problem=problem)


def _card(world: World, customer: str, kind: str) -> tuple[str, str]:
    now = world.clock.now()
    cards.give(world, customer, kind, now)
    if kind != "good":
        return "The next charge will fail.", ""
    if world.switches.get(PROVIDER, "fixed_card_pays"):
        for sub in objects.all_of(world, "subscription", customer):
            if sub["status"] in ("past_due", "unpaid", "incomplete"):
                lifecycle.pay_due(world, sub, now)
    return "The card was saved.", ""


def _subscription(world: World, sub: Thing, wish: str, form: Mapping[str, Any]) -> tuple[str, str]:
    now = world.clock.now()
    if sub["status"] in lifecycle.DEAD:
        return "", "This subscription has ended; it cannot be changed."
    if wish == "cancel_later":
        lifecycle.cancel_later(world, sub, now, True)
        return "It ends with the period.", ""
    if wish == "cancel_now":
        lifecycle.end(world, sub, now, "cancellation_requested")
        return "It has ended.", ""
    if wish == "resume":
        if sub["status"] == "paused":
            done = lifecycle.resume(world, sub, now)
            return ("It goes on.", "") if done else ("", "The card was declined: save another one first.")
        lifecycle.cancel_later(world, sub, now, False)
        return "It goes on.", ""
    if wish == "update":
        price = objects.find(world, "price", form.get("price", ""))
        if price is None or not price["active"] or not price["recurring"]:
            return "", "There is no such plan."
        lifecycle.change_price(world, sub, periods.first(sub), price, now)
        return "The plan was changed.", ""
    raise web.HTTPBadRequest(text="This page has no such button.")
