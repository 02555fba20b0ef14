"""An authorization request: what Microsoft checks before it shows anything (microsoft.md §1)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from truesend_sandbox.microsoft import error_pages, tenants
from truesend_sandbox.microsoft import scopes as graph_scopes
from truesend_sandbox.microsoft.errors import short_description
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.oauth import redirect_allowed
from truesend_sandbox.pages import POLICY
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

_PROMPTS = {"login", "none", "consent", "select_account"}
_MODES = ("query", "fragment", "form_post")


@dataclass(frozen=True)
class Asked:
    """A valid authorization request."""

    id: str
    tenant: str
    client: Row
    redirect_uri: str
    response_mode: str
    scopes: tuple[str, ...]
    state: str | None
    prompt: str
    login_hint: str | None
    nonce: str | None
    challenge: str | None
    challenge_method: str | None

    @property
    def app(self) -> str:
        return str(self.client["name"])

    @property
    def client_id(self) -> str:
        return str(self.client["client_id"])

    @property
    def values(self) -> dict[str, str]:
        """What texts about this request name."""
        return {
            "client": self.client_id,
            "app": self.app,
            "redirect_uri": self.redirect_uri,
            "tenant": self.tenant,
        }


def client_of(world: World, tenant: str, params: dict[str, str]) -> tuple[Row, str] | web.Response:
    """`(client, redirect address)` of a request to any page, or the page that never returns."""
    if not tenants.exists(world, tenant):
        return error_pages.show(world, "tenant_not_found", {"tenant": tenant})
    client_id = params.get("client_id")
    if not client_id:
        return error_pages.show(world, "invalid_request", {"parameter": "client_id"})
    client = world.store.one(
        "SELECT * FROM clients WHERE provider = ? AND client_id = ?", PROVIDER, client_id
    )
    if client is None:
        return error_pages.show(world, "app_not_found", {"client": client_id, "tenant": tenant})
    values = {"client": client_id, "app": client["name"], "tenant": tenant}
    uri = params.get("redirect_uri", "")
    if not uri:
        return error_pages.show(world, "invalid_request", {**values, "parameter": "redirect_uri"})
    if not redirect_allowed(client["redirect_uris"], uri) or urlsplit(uri).fragment:
        return error_pages.show(world, "redirect_uri_mismatch", {**values, "redirect_uri": uri})
    if world.switches.get(PROVIDER, "app_tenant") and tenant.lower() in ("common", "consumers"):
        return error_pages.show(world, "single_tenant", values)
    return client, uri


def check(world: World, tenant: str, params: dict[str, str], request_id: str) -> Asked | web.Response:
    """The request as asked, or what it gets instead: a page, or an error that goes back."""
    found = client_of(world, tenant, params)
    if isinstance(found, web.Response):
        return found
    client, uri = found
    scopes, strange = graph_scopes.read(params.get("scope", ""))
    method = params.get("code_challenge_method") or "plain"
    challenge = params.get("code_challenge") or None
    mode = params.get("response_mode") or "query"
    asked = Asked(
        request_id,
        tenant,
        client,
        uri,
        mode if mode in _MODES else "query",
        scopes,
        params.get("state"),
        params.get("prompt", ""),
        params.get("login_hint") or None,
        params.get("nonce"),
        challenge,
        method if challenge else None,
    )

    def refuse(error: str, code: int, **values: str) -> web.Response:
        return back(asked, {"error": error, "error_description": short_description(code, **values)})

    for name in ("response_type", "scope"):
        if not params.get(name):
            return refuse("invalid_request", 900144, parameter=name)
    if params["response_type"] != "code":
        return refuse("unsupported_response_type", 90023, parameter="response_type")
    if strange:
        return refuse("invalid_scope", 70011, scope=" ".join(strange))
    for name, wrong in (
        ("response_mode", mode not in _MODES),
        ("prompt", bool(asked.prompt) and asked.prompt not in _PROMPTS),
        ("code_challenge_method", challenge is not None and method not in ("plain", "S256")),
    ):
        if wrong:
            return refuse("invalid_request", 90023, parameter=name)
    return asked


def open_screen(world: World, asked: Asked, params: dict[str, str]) -> None:
    """Keep the request while its screens are open."""
    world.store.run(
        "INSERT OR REPLACE INTO authorizations (id, provider, params, at) VALUES (?, ?, ?, ?)",
        asked.id,
        PROVIDER,
        json.dumps({"tenant": asked.tenant, "params": params}),
        world.clock.now(),
    )


def close_screen(world: World, asked: Asked) -> None:
    """The request is answered."""
    world.store.run("DELETE FROM authorizations WHERE id = ?", asked.id)


def load(world: World, request_id: str) -> Asked | None:
    """A request whose screen is open; None when it is unknown or an hour old."""
    row = world.store.one("SELECT * FROM authorizations WHERE id = ? AND provider = ?", request_id, PROVIDER)
    if row is None or row["at"] + 3600 < world.clock.now():
        return None
    kept = json.loads(row["params"])
    if "tenant" not in kept:
        return None
    asked = check(world, kept["tenant"], kept["params"], request_id)
    return asked if isinstance(asked, Asked) else None


def back(asked: Asked, values: dict[str, str]) -> web.Response:
    """To the application in the mode it asked for, `state` echoed exactly."""
    pairs = {**values, **({} if asked.state is None else {"state": asked.state})}
    if asked.response_mode == "form_post":
        return _posted(asked.redirect_uri, pairs)
    joiner = "#" if asked.response_mode == "fragment" else "&" if "?" in asked.redirect_uri else "?"
    return web.Response(
        status=302,
        headers={"Location": f"{asked.redirect_uri}{joiner}{urlencode(pairs)}", "Cache-Control": "no-store"},
    )


def _posted(uri: str, pairs: dict[str, str]) -> web.Response:
    """response_mode=form_post without a script: the browser's person presses the button."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in pairs.items()
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Working…</title></head><body>'
        f'<form method="post" action="{escape(uri)}">{fields}<button>Continue</button></form></body></html>'
    )
    return web.Response(
        text=page,
        content_type="text/html",
        headers={"Cache-Control": "no-store", "Content-Security-Policy": POLICY},
    )


def session_state() -> str:
    """A GUID of the browser's session."""
    return str(uuid.uuid4())
