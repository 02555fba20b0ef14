"""An authorization request: what Google checks before it shows anything (google.md §1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from truesend_sandbox.google import error_pages
from truesend_sandbox.google import scopes as google_scopes
from truesend_sandbox.oauth import redirect_allowed
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

_PROMPTS = {"none", "consent", "select_account"}


@dataclass(frozen=True)
class Asked:
    """A valid authorization request."""

    id: str
    client: Row
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    offline: bool
    prompt: frozenset[str]
    login_hint: str | None
    nonce: str | None
    challenge: str | None
    challenge_method: str | None
    include_granted: bool

    @property
    def app(self) -> str:
        return str(self.client["name"])

    @property
    def tickable(self) -> tuple[str, ...]:
        """Scopes that are not part of signing in."""
        return tuple(scope for scope in self.scopes if scope not in google_scopes.SIGN_IN)


def check(world: World, params: dict[str, str], request_id: str) -> Asked | web.Response:
    """The request as asked, or the error page it gets."""
    client = world.store.one(
        "SELECT * FROM clients WHERE provider = 'google' AND client_id = ?", params.get("client_id")
    )
    if not params.get("client_id"):
        return error_pages.show(
            world, "invalid_request", app="This app", details="Missing required parameter: client_id"
        )
    if client is None:
        return error_pages.show(world, "invalid_client", app="This app")

    def refuse(name: str, details: str) -> web.Response:
        return error_pages.show(world, name, app=client["name"], details=details)

    uri = params.get("redirect_uri", "")
    if not uri:
        return refuse("invalid_request", "Missing required parameter: redirect_uri")
    if not redirect_allowed(client["redirect_uris"], uri) or urlsplit(uri).fragment:
        return refuse("redirect_uri_mismatch", f"redirect_uri={uri}")
    if not params.get("response_type"):
        return refuse("invalid_request", "Required parameter is missing: response_type")
    if params["response_type"] != "code":
        return refuse("unsupported_response_type", f"Invalid response_type: {params['response_type']}")
    asked = params.get("scope", "").split()
    if not asked:
        return refuse("invalid_request", "Missing required parameter: scope")
    strange = google_scopes.unknown(asked)
    if strange:
        return refuse("invalid_scope", f"{{invalid=[{', '.join(strange)}]}}")
    prompt = frozenset(params.get("prompt", "").split())
    if not prompt <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        return refuse("invalid_request", f"Invalid parameter value for prompt: {params.get('prompt')}")
    method = params.get("code_challenge_method") or "plain"
    challenge = params.get("code_challenge") or None
    if challenge is not None and method not in ("plain", "S256"):
        return refuse("invalid_request", f"Invalid parameter value for code_challenge_method: {method}")
    if params.get("access_type", "online") not in ("online", "offline"):
        return refuse("invalid_request", f"Invalid parameter value for access_type: {params['access_type']}")
    return Asked(
        request_id,
        client,
        uri,
        tuple(dict.fromkeys(google_scopes.canonical(scope) for scope in asked)),
        params.get("state"),
        params.get("access_type") == "offline",
        prompt,
        params.get("login_hint") or None,
        params.get("nonce"),
        challenge,
        method if challenge else None,
        params.get("include_granted_scopes") == "true",
    )


def load(world: World, request_id: str) -> Asked | None:
    """A request whose screen is open; None when it is unknown or an hour old."""
    row = world.store.one("SELECT * FROM authorizations WHERE id = ? AND provider = 'google'", request_id)
    if row is None or row["at"] + 3600 < world.clock.now():
        return None
    asked = check(world, json.loads(row["params"]), request_id)
    return asked if isinstance(asked, Asked) else None


def back(asked: Asked, values: dict[str, str]) -> web.Response:
    """302 to the application, `state` echoed exactly."""
    pairs = {**({} if asked.state is None else {"state": asked.state}), **values}
    joiner = "&" if "?" in asked.redirect_uri else "?"
    return web.Response(
        status=302,
        headers={"Location": f"{asked.redirect_uri}{joiner}{urlencode(pairs)}", "Cache-Control": "no-store"},
    )
