"""`GET /{tenant}/v2.0/adminconsent`: an administrator grants for a whole tenant (v2-admin-consent page)."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from truesend_sandbox import accounts, consents
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.microsoft import consent_forms, error_pages, grants, tenants
from truesend_sandbox.microsoft import scopes as graph_scopes
from truesend_sandbox.microsoft.asked import client_of
from truesend_sandbox.microsoft.errors import short_description
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.pages import render
from truesend_sandbox.store import Row
from truesend_sandbox.world import WORLD, World

_SIGN_IN = "/common/adminconsent/login"


@dataclass(frozen=True)
class AdminAsked:
    """A valid request for the grant of a tenant."""

    id: str
    tenant: str
    client: Row
    redirect_uri: str
    scopes: tuple[str, ...]
    scope_text: str
    state: str | None

    @property
    def app(self) -> str:
        return str(self.client["name"])


def _check(world: World, tenant: str, params: dict[str, str], request_id: str) -> AdminAsked | web.Response:
    found = client_of(world, tenant, params)
    if isinstance(found, web.Response):
        return found
    client, uri = found
    text = params.get("scope", "").strip() or f"{graph_scopes.RESOURCE}{graph_scopes.DEFAULT}"
    known, strange = graph_scopes.read(text)
    scopes = tuple(graph_scopes.REGISTERED) if graph_scopes.DEFAULT in known else known
    asked = AdminAsked(request_id, tenant, client, uri, scopes, text, params.get("state"))
    if strange:
        words = short_description(70011, scope=" ".join(strange))
        return _back(asked, {"error": "invalid_scope", "error_description": words})
    return asked


def _load(world: World, request_id: str) -> AdminAsked | None:
    row = world.store.one("SELECT * FROM authorizations WHERE id = ? AND provider = ?", request_id, PROVIDER)
    if row is None or row["at"] + 3600 < world.clock.now():
        return None
    kept = json.loads(row["params"])
    if "admin_of" not in kept:
        return None
    asked = _check(world, kept["admin_of"], kept["params"], request_id)
    return asked if isinstance(asked, AdminAsked) else None


def _back(asked: AdminAsked, values: dict[str, str]) -> web.Response:
    pairs = {"admin_consent": "True", **values, **({} if asked.state is None else {"state": asked.state})}
    joiner = "&" if "?" in asked.redirect_uri else "?"
    return web.Response(
        status=302,
        headers={"Location": f"{asked.redirect_uri}{joiner}{urlencode(pairs)}", "Cache-Control": "no-store"},
    )


def _declined(asked: AdminAsked) -> web.Response:
    return _back(asked, {"error": "consent_required", "error_description": short_description(65004)})


def _refused(world: World, asked: AdminAsked, account: Account) -> web.Response | None:
    """The page for who cannot grant for this tenant. `admin: false` says that an account is no administrator."""
    page = None
    if account.fields.get("deleted") or account.fields.get("disabled"):
        page = "account_not_found" if account.fields.get("deleted") else "account_disabled"
    elif tenants.is_personal(account):
        page = "work_only"
    elif not tenants.admits(asked.tenant, account):
        page = "external_user"
    elif account.fields.get("admin") is False:
        page = "admin_approval"
    if page is None:
        return None
    values = {"app": asked.app, "client": str(asked.client["client_id"]), "user": account.email}
    return error_pages.show(world, page, {**values, "tenant": asked.tenant}, account=account.email)


def _granted(world: World, asked: AdminAsked, account: Account) -> web.Response:
    tenant = tenants.tenant_id(account)
    grants.remember_for_tenant(world, tenant, asked.client["client_id"], asked.scopes)
    return _back(asked, {"tenant": tenant, "scope": asked.scope_text})


def identify(call: Call) -> str | None:
    """Who is about to grant: the next plan."""
    return consents.peek(call.world, PROVIDER, None)


def handle(call: Call) -> web.StreamResponse:
    """The request: answered by a plan, or by the pages below."""
    world, params = call.world, dict(call.request.query)
    asked = _check(world, call.request.match_info["tenant"], params, secrets.token_urlsafe(24))
    if isinstance(asked, web.Response):
        return asked
    planned = consents.take(world, PROVIDER, None)
    if planned is not None:
        account = accounts.ensure(world, PROVIDER, planned.as_account or planned.account)
        if planned.page is not None:
            return error_pages.show(world, planned.page, {"app": asked.app}, account=account.email)
        stopped = _refused(world, asked, account)
        if stopped is not None:
            return stopped
        return _declined(asked) if planned.decision == "deny" else _granted(world, asked, account)
    world.store.run(
        "INSERT INTO authorizations (id, provider, params, at) VALUES (?, ?, ?, ?)",
        asked.id,
        PROVIDER,
        json.dumps({"admin_of": asked.tenant, "params": params}),
        call.now,
    )
    return _choose(world, asked)


def _choose(world: World, asked: AdminAsked, *, problem: str = "", typed: str = "") -> web.Response:
    known = [one for one in accounts.everyone(world, PROVIDER) if not tenants.is_personal(one)]
    return render(
        world,
        "microsoft_choose.html",
        status=400 if problem else 200,
        request=asked.id,
        action=_SIGN_IN,
        app=asked.app,
        accounts=known,
        problem=problem,
        typed=typed or ("" if known else "admin@contoso.com"),
    )


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Which administrator."""
    world, form = request.app[WORLD], await consent_forms.posted(request)
    asked = _load(world, form.get("request", ""))
    if asked is None:
        return consent_forms.gone(world)
    if form.get("decision") == "cancel":
        return _declined(asked)
    with world.store.write():
        found = consent_forms.picked(world, form)
        if isinstance(found, str):
            return _choose(world, asked, problem=found, typed=form.get("address", "").strip())
        stopped = _refused(world, asked, found)
    if stopped is not None:
        return stopped
    texts = [graph_scopes.DESCRIPTIONS[scope] for scope in asked.scopes if scope not in graph_scopes.SIGN_IN]
    return render(
        world,
        "microsoft_admin_consent.html",
        request=asked.id,
        app=asked.app,
        account=found,
        listed=texts,
    )


async def decide(request: web.Request) -> web.StreamResponse:
    """Allow or Cancel, for the whole tenant."""
    world, form = request.app[WORLD], await consent_forms.posted(request)
    asked = _load(world, form.get("request", ""))
    found = accounts.find(world, PROVIDER, form.get("account", ""))
    if asked is None or found is None:
        return consent_forms.gone(world)
    with world.store.write():
        world.store.run("DELETE FROM authorizations WHERE id = ?", asked.id)
        if form.get("decision") != "allow":
            return _declined(asked)
        return _refused(world, asked, found) or _granted(world, asked, found)
