"""Keap's consent: who, which of their apps, yes or no."""

from __future__ import annotations

import json
import secrets

from aiohttp import web

from truesend_sandbox import accounts, consents
from truesend_sandbox.accounts import Account
from truesend_sandbox.consents import Planned
from truesend_sandbox.door import Call
from truesend_sandbox.keap import error_pages, people
from truesend_sandbox.keap.asked import Asked, back, check
from truesend_sandbox.pages import render
from truesend_sandbox.world import World


def identify(call: Call) -> str | None:
    """Whom a fault here concerns: the account planned. Keap knows no hint."""
    return consents.peek(call.world, people.PROVIDER, None)


def refused(world: World, asked: Asked, account: Account, tenant: str) -> web.Response | None:
    """The page for a person who may not connect this app; None when they may."""
    if account.fields.get("admin_block"):
        return error_pages.show(world, "admin_block", app=asked.app, account=account.email)
    if not people.may_use(world, tenant, account):
        return error_pages.show(world, "no_user", app=asked.app, account=account.email)
    return None


def approve(world: World, asked: Asked, account: Account, tenant: str) -> web.Response:
    """Back with a code; the callback itself says which app was chosen."""
    page = refused(world, asked, account, tenant)
    if page is not None:
        return page
    code = secrets.token_urlsafe(6)
    world.store.run(
        "INSERT INTO codes (code, client_id, account_id, redirect_uri, scopes, offline, at)"
        " VALUES (?, ?, ?, ?, ?, 1, ?)",
        code,
        asked.client["client_id"],
        account.id,
        asked.redirect_uri,
        people.scope(tenant),
        world.clock.now(),
    )
    return back(asked, {"code": code, "scope": people.scope(tenant)})


def deny(world: World, asked: Asked) -> web.Response:
    """The person has said no."""
    if world.switches.get(people.PROVIDER, "deny_form") == "page":
        return error_pages.show(world, "access_denied", app=asked.app)
    return back(asked, {"error": "access_denied"})


def handle(call: Call) -> web.StreamResponse:
    """`GET /app/oauth/authorize`."""
    world, params = call.world, dict(call.request.query)
    asked = check(world, params, secrets.token_urlsafe(24))
    if isinstance(asked, web.Response):
        return asked
    planned = consents.take(world, people.PROVIDER, None)
    if planned is not None:
        return _answer_itself(world, asked, planned)
    world.store.run(
        "INSERT INTO authorizations (id, provider, params, at) VALUES (?, ?, ?, ?)",
        asked.id,
        people.PROVIDER,
        json.dumps(params),
        call.now,
    )
    return sign_in(world, asked)


def _answer_itself(world: World, asked: Asked, planned: Planned) -> web.Response:
    account = accounts.ensure(world, people.PROVIDER, planned.as_account or planned.account)
    if planned.page is not None:
        details = f"redirect_uri={asked.redirect_uri}" if planned.page == "redirect_uri_mismatch" else ""
        return error_pages.show(world, planned.page, app=asked.app, details=details, account=account.email)
    if planned.decision == "deny":
        return deny(world, asked)
    if planned.tenant is not None:
        account = people.admit(world, account, planned.tenant)
    return approve(world, asked, account, planned.tenant or people.tenants(account)[0])


def sign_in(world: World, asked: Asked, *, problem: str = "", typed: str = "") -> web.Response:
    """Who are you: an account of the list, or any address."""
    known = accounts.everyone(world, people.PROVIDER)
    return render(
        world,
        "keap_sign_in.html",
        status=400 if problem else 200,
        asked=asked,
        accounts=known,
        problem=problem,
        typed=typed or ("" if known else "sam.sender@example.com"),
    )


def choose(world: World, asked: Asked, account: Account) -> web.Response:
    """Which app, and whether to allow."""
    return render(
        world,
        "keap_allow.html",
        asked=asked,
        account=account,
        tenants=[tenant + people.HOST for tenant in people.tenants(account)],
    )
