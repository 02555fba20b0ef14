"""Google's consent: who, what, yes or no. Rules and error pages: google.md §1."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts, consents
from truesend_sandbox.accounts import Account
from truesend_sandbox.consents import Planned
from truesend_sandbox.door import Call
from truesend_sandbox.google import error_pages, grants
from truesend_sandbox.google import scopes as google_scopes
from truesend_sandbox.google.asked import Asked, back, check
from truesend_sandbox.pages import render
from truesend_sandbox.world import World

SESSION = "sandbox_google_session"
"""Cookie: the number of the account that is signed in at the provider in this browser."""

_EMBEDDED = re.compile(r"; wv\)|FBAN|FBAV|Instagram|MicroMessenger")


def refused_account(world: World, asked: Asked, account: Account) -> web.Response | None:
    """The page for an account that may not use this app; None when it may."""

    def switch(name: str) -> Any:
        return world.switches.get("google", name)

    page = None
    if switch("user_type") == "internal" and account.domain != switch("internal_domain"):
        page = "org_internal"
    elif switch("publishing_status") == "testing" and not account.fields.get("test_user", True):
        page = "access_denied"
    elif account.fields.get("admin_block"):
        page = "admin_policy_enforced"
    return (page and error_pages.show(world, page, app=asked.app, account=account.email)) or None


def approve(
    world: World, asked: Asked, account: Account, given: tuple[str, ...], *, shown: bool
) -> web.Response:
    """Back with a code for the scopes given. `shown`: a consent screen was answered, so that a refresh token
    may come of it."""
    refused = refused_account(world, asked, account)
    if refused:
        return refused
    if asked.tickable and not set(given) - google_scopes.SIGN_IN and _can_untick(world, asked) != "alone":
        return back(asked, {"error": "access_denied"})
    project = asked.client["project"]
    together = set(given)
    if asked.include_granted:
        together |= grants.granted(world, account.id, project)
    code = "4/0A" + secrets.token_urlsafe(54)
    world.store.run(
        "INSERT INTO codes (code, client_id, account_id, redirect_uri, scopes, challenge, challenge_method,"
        " nonce, offline, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        code,
        asked.client["client_id"],
        account.id,
        asked.redirect_uri,
        " ".join(sorted(together)),
        asked.challenge,
        asked.challenge_method,
        asked.nonce,
        int(asked.offline and shown),
        world.clock.now(),
    )
    grants.remember(world, account.id, project, given)
    values = {
        "iss": grants.ISSUER,
        "code": code,
        "scope": google_scopes.in_answer(together),
        "authuser": "0",
        "prompt": "consent" if shown else "none",
    }
    if account.domain:
        values["hd"] = account.domain
    response = back(asked, values)
    response.set_cookie(SESSION, str(account.id), httponly=True, samesite="Lax", path="/o/oauth2")
    return response


def _can_untick(world: World, asked: Asked) -> str:
    """`no` boxes, `several` of which one must stay, or `alone`: a single box that may be left empty."""
    if len(asked.tickable) > 1:
        return "several"
    if asked.tickable and world.switches.get("google", "granular_single_scope"):
        return "alone"
    return "no"


def covered(world: World, asked: Asked, account: Account) -> bool:
    """Whether no consent screen is needed: given before, and not asked for again."""
    given = grants.granted(world, account.id, asked.client["project"])
    return "consent" not in asked.prompt and set(asked.scopes) <= given


def _signed_in(call: Call) -> Account | None:
    number = call.request.cookies.get(SESSION, "")
    return accounts.by_id(call.world, int(number)) if number.isdecimal() and len(number) < 10 else None


def identify(call: Call) -> str | None:
    """Whom a fault here concerns: the account hinted, else the one planned, else the one signed in."""
    hint = call.request.query.get("login_hint")
    if hint and "@" in hint:
        return hint.lower()
    planned = consents.peek(call.world, "google", hint)
    signed_in = _signed_in(call)
    return planned or (signed_in.email if signed_in else None)


def handle(call: Call) -> web.StreamResponse:
    """`GET /o/oauth2/v2/auth`."""
    world = call.world
    params = dict(call.request.query)
    if _EMBEDDED.search(call.request.headers.get("User-Agent", "")):
        return error_pages.show(world, "disallowed_useragent", app="This app")
    asked = check(world, params, secrets.token_urlsafe(24))
    if isinstance(asked, web.Response):
        return asked
    if "none" in asked.prompt:
        return _silently(call, asked)
    planned = consents.take(world, "google", asked.login_hint)
    if planned is not None:
        return _answer_itself(world, asked, planned)
    world.store.run(
        "INSERT INTO authorizations (id, provider, params, at) VALUES (?, 'google', ?, ?)",
        asked.id,
        json.dumps(params),
        call.now,
    )
    account = _hinted(world, asked.login_hint) or _signed_in(call)
    if account is not None and "select_account" not in asked.prompt:
        return continue_as(world, asked, account)
    return choose(world, asked)


def _hinted(world: World, hint: str | None) -> Account | None:
    if hint is None:
        return None
    if "@" in hint:
        return accounts.find(world, "google", hint)
    number = world.store.value("SELECT id FROM accounts WHERE provider = 'google' AND sub = ?", hint)
    return None if number is None else accounts.by_id(world, number)


def _silently(call: Call, asked: Asked) -> web.Response:
    account = _signed_in(call)
    if account is None:
        return back(asked, {"error": "login_required"})
    hinted = _hinted(call.world, asked.login_hint)
    if hinted is not None and hinted.id != account.id:
        return back(asked, {"error": "interaction_required"})
    if not covered(call.world, asked, account):
        return back(asked, {"error": "consent_required"})
    return approve(call.world, asked, account, asked.scopes, shown=False)


def _answer_itself(world: World, asked: Asked, planned: Planned) -> web.Response:
    account = accounts.ensure(world, "google", planned.as_account or planned.account)
    if planned.page is not None:
        details = f"redirect_uri={asked.redirect_uri}" if planned.page == "redirect_uri_mismatch" else ""
        return error_pages.show(world, planned.page, app=asked.app, details=details, account=account.email)
    refused = refused_account(world, asked, account)
    if refused:
        return refused
    if planned.decision == "deny":
        return back(asked, {"error": "access_denied"})
    given = tuple(
        scope for scope in asked.scopes if scope not in planned.untick or scope in google_scopes.SIGN_IN
    )
    return approve(world, asked, account, given, shown=not covered(world, asked, account))


def choose(world: World, asked: Asked, *, problem: str = "", typed: str = "") -> web.Response:
    """The account chooser."""
    known = accounts.everyone(world, "google")
    return render(
        world,
        "google_choose.html",
        status=400 if problem else 200,
        asked=asked,
        accounts=known,
        problem=problem,
        typed=typed or (_unknown_hint(known, asked.login_hint) or ("" if known else "sam.sender@gmail.com")),
    )


def _unknown_hint(known: list[Account], hint: str | None) -> str:
    """The address hinted at, when it is one that has no account yet."""
    if hint is None or "@" not in hint or hint.lower() in {account.email for account in known}:
        return ""
    return hint


def continue_as(world: World, asked: Asked, account: Account) -> web.Response:
    """After the account is chosen: straight back, an error page, or the consent."""
    refused = refused_account(world, asked, account)
    if refused:
        return refused
    if covered(world, asked, account):
        return approve(world, asked, account, asked.scopes, shown=False)
    boxes = _can_untick(world, asked) != "no"
    listed = [(scope, google_scopes.DESCRIPTIONS[scope]) for scope in asked.tickable]
    sign_in = [google_scopes.DESCRIPTIONS[scope] for scope in asked.scopes if scope in google_scopes.SIGN_IN]
    return render(
        world,
        "google_consent.html",
        asked=asked,
        account=account,
        boxes=boxes,
        listed=listed,
        sign_in=sign_in,
        ticked=world.switches.get("google", "boxes_ticked"),
        testing=world.switches.get("google", "publishing_status") == "testing",
    )
