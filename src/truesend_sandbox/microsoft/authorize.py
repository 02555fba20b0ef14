"""Microsoft's consent: who, what, yes or no. Rules and pages: microsoft.md §1."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts, consents
from truesend_sandbox.accounts import Account
from truesend_sandbox.consents import Planned
from truesend_sandbox.door import Call
from truesend_sandbox.microsoft import error_pages, grants, tenants
from truesend_sandbox.microsoft import scopes as graph_scopes
from truesend_sandbox.microsoft.asked import Asked, back, check, close_screen, open_screen, session_state
from truesend_sandbox.microsoft.errors import short_description
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.pages import render
from truesend_sandbox.world import World

SESSION = "sandbox_microsoft_session"
"""Cookie: the number of the account that is signed in at the provider in this browser."""


def refusal(world: World, asked: Asked, account: Account) -> str | None:
    """The page for an account that may not use this app at all; None when it may."""
    fields = account.fields
    if fields.get("deleted"):
        return "account_not_found"
    if fields.get("disabled"):
        return "account_disabled"
    personal = tenants.is_personal(account)
    if not tenants.admits(asked.tenant, account):
        return {"organizations": "work_only", "consumers": "personal_only"}.get(
            asked.tenant.lower(), "external_user"
        )
    only = str(world.switches.get(PROVIDER, "app_tenant"))
    if only and not tenants.admits(only, account):
        return "external_user"
    if personal and world.switches.get(PROVIDER, "app_audience") == "work":
        return "not_for_consumers"
    if fields.get("app_disabled"):
        return "app_disabled"
    return "conditional_access" if fields.get("admin_block") else None


def only_an_admin(world: World, asked: Asked, account: Account) -> bool:
    """Whether the tenant's policy leaves this consent to an administrator."""
    if tenants.is_personal(account) or account.fields.get("admin"):
        return False
    fresh = set(asked.scopes) - grants.granted(world, account, asked.client_id) - {graph_scopes.DEFAULT}
    policy = world.switches.get(PROVIDER, "consent_policy")
    if policy == "none" and fresh:
        return True
    if policy == "managed" and fresh & graph_scopes.ADMIN_BY_MANAGED_POLICY:
        return True
    return bool(world.switches.get(PROVIDER, "unverified_publisher") and fresh - graph_scopes.BASIC)


def refused(world: World, asked: Asked, account: Account) -> web.Response | None:
    """What an account gets that cannot go on: a page, or the error of the approval it needs."""
    page = refusal(world, asked, account)
    if page is not None:
        values = {**asked.values, "user": account.email, "issuer": _issuer(account)}
        return error_pages.show(world, page, values, account=account.email)
    if not only_an_admin(world, asked, account):
        return None
    answer = world.switches.get(PROVIDER, "admin_approval_answer")
    if answer != "page":
        return back(asked, {"error": answer, "error_description": short_description(90094)})
    asks = world.switches.get(PROVIDER, "consent_request_workflow")
    return error_pages.show(
        world,
        "approval_request" if asks else "admin_approval",
        {**asked.values, "permissions": ", ".join(text for _, text in listed(asked))},
        account=account.email,
        request=asked.id,
    )


def _issuer(account: Account) -> str:
    return (
        "live.com"
        if tenants.is_personal(account)
        else f"https://sts.windows.net/{tenants.tenant_id(account)}/"
    )


def declined(world: World, asked: Asked) -> web.Response:
    """The person said no."""
    close_screen(world, asked)
    answer = world.switches.get(PROVIDER, "decline_answer")
    if answer == "cancel":
        return back(asked, {"error": "access_denied", "error_subcode": "cancel"})
    return back(asked, {"error": answer, "error_description": short_description(65004)})


def approve(world: World, asked: Asked, account: Account, *, for_everyone: bool = False) -> web.Response:
    """Back with a code. All that was asked is granted: there are no boxes."""
    close_screen(world, asked)
    given = set(asked.scopes) - {graph_scopes.DEFAULT}
    if graph_scopes.DEFAULT in asked.scopes:
        given |= grants.granted(world, account, asked.client_id) or {"User.Read"}
    grants.remember(world, account, asked.client_id, given)
    if for_everyone and account.fields.get("admin"):
        grants.remember_for_tenant(world, tenants.tenant_id(account), asked.client_id, given)
    code = grants.new_code(account)
    world.store.run(
        "INSERT INTO codes (code, client_id, account_id, redirect_uri, scopes, challenge, challenge_method,"
        " nonce, offline, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        code,
        asked.client_id,
        account.id,
        asked.redirect_uri,
        " ".join(sorted(given)),
        asked.challenge,
        asked.challenge_method,
        asked.nonce,
        int(graph_scopes.OFFLINE in given),
        world.clock.now(),
    )
    values = {"code": code}
    if world.switches.get(PROVIDER, "session_state"):
        values["session_state"] = session_state()
    response = back(asked, values)
    response.set_cookie(SESSION, str(account.id), httponly=True, samesite="Lax", path="/")
    return response


def covered(world: World, asked: Asked, account: Account) -> bool:
    """Whether no consent screen is needed: granted before, and not asked for again."""
    given = grants.granted(world, account, asked.client_id) | {graph_scopes.DEFAULT}
    return asked.prompt != "consent" and set(asked.scopes) <= given


def _signed_in(call: Call) -> Account | None:
    number = call.request.cookies.get(SESSION, "")
    found = accounts.by_id(call.world, int(number)) if number.isdecimal() and len(number) < 10 else None
    return found if found is not None and found.provider == PROVIDER else None


def identify(call: Call) -> str | None:
    """Who is about to consent: the hint, the next plan, or who is signed in."""
    hint = call.request.query.get("login_hint")
    if hint and "@" in hint:
        return hint.lower()
    planned = consents.peek(call.world, PROVIDER, hint)
    signed_in = _signed_in(call)
    return planned or (signed_in.email if signed_in else None)


def handle(call: Call) -> web.StreamResponse:
    """`GET /{tenant}/oauth2/v2.0/authorize`."""
    world, params = call.world, dict(call.request.query)
    asked = check(world, call.request.match_info["tenant"], params, secrets.token_urlsafe(24))
    if isinstance(asked, web.Response):
        return asked
    if asked.prompt == "none":
        return _silently(call, asked)
    planned = consents.take(world, PROVIDER, asked.login_hint)
    open_screen(world, asked, params)
    if planned is not None:
        return _answer_itself(world, asked, planned)
    account = _hinted(world, asked.login_hint) or _signed_in(call)
    if account is not None and asked.prompt not in ("select_account", "login"):
        return continue_as(world, asked, account)
    return choose(world, asked)


def _hinted(world: World, hint: str | None) -> Account | None:
    return None if hint is None else accounts.find(world, PROVIDER, hint)


def _silently(call: Call, asked: Asked) -> web.Response:
    account = _signed_in(call)
    if account is None:
        return back(asked, {"error": "login_required", "error_description": short_description(50058)})
    hinted = _hinted(call.world, asked.login_hint)
    if (hinted is not None and hinted.id != account.id) or refusal(call.world, asked, account):
        return back(asked, {"error": "interaction_required"})
    if not covered(call.world, asked, account):
        return back(
            asked,
            {"error": "consent_required", "error_description": short_description(65001, **asked.values)},
        )
    return approve(call.world, asked, account)


def _answer_itself(world: World, asked: Asked, planned: Planned) -> web.Response:
    account = accounts.ensure(world, PROVIDER, planned.as_account or planned.account)
    if planned.page is not None:
        values: dict[str, Any] = {
            **asked.values,
            "user": account.email,
            "issuer": _issuer(account),
            "permissions": ", ".join(text for _, text in listed(asked)),
        }
        return error_pages.show(world, planned.page, values, account=account.email, request=asked.id)
    stopped = refused(world, asked, account)
    if stopped is not None:
        return stopped
    return declined(world, asked) if planned.decision == "deny" else approve(world, asked, account)


def choose(world: World, asked: Asked, *, problem: str = "", typed: str = "") -> web.Response:
    """The account chooser."""
    known = accounts.everyone(world, PROVIDER)
    hint = asked.login_hint or ""
    unknown = hint if "@" in hint and hint.lower() not in {account.email for account in known} else ""
    return render(
        world,
        "microsoft_choose.html",
        status=400 if problem else 200,
        request=asked.id,
        action="/common/login",
        app=asked.app,
        accounts=known,
        problem=problem,
        typed=typed or unknown or ("" if known else "sam.sender@contoso.com"),
    )


def listed(asked: Asked) -> list[tuple[str, str]]:
    """The permissions of the screen: `(scope, text)`; signing in itself is not among them."""
    hidden = {graph_scopes.OPENID, "profile", "email", graph_scopes.DEFAULT}
    return [(scope, graph_scopes.DESCRIPTIONS[scope]) for scope in asked.scopes if scope not in hidden]


def continue_as(world: World, asked: Asked, account: Account) -> web.Response:
    """After the account is chosen: a page that ends it, straight back, or the consent."""
    stopped = refused(world, asked, account)
    if stopped is not None:
        return stopped
    if covered(world, asked, account):
        return approve(world, asked, account)
    return render(
        world,
        "microsoft_consent.html",
        request=asked.id,
        app=asked.app,
        account=account,
        listed=listed(asked),
        is_admin=bool(account.fields.get("admin")) and not tenants.is_personal(account),
    )
