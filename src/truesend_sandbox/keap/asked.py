"""An authorization request: what Keap checks before it shows anything (keap.md §1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from truesend_sandbox.keap import error_pages, people
from truesend_sandbox.oauth import redirect_allowed
from truesend_sandbox.store import Row
from truesend_sandbox.world import World


@dataclass(frozen=True)
class Asked:
    """A valid authorization request. Whatever else it carries (PKCE, hints) Keap does not know."""

    id: str
    client: Row
    redirect_uri: str
    state: str | None

    @property
    def app(self) -> str:
        return str(self.client["name"])


def check(world: World, params: dict[str, str], request_id: str) -> Asked | web.Response:
    """The request as asked, or the error page it gets."""
    client = world.store.one(
        "SELECT * FROM clients WHERE provider = ? AND client_id = ?", people.PROVIDER, params.get("client_id")
    )
    if client is None:
        return error_pages.show(world, "invalid_client", app="This app")

    def refuse(name: str, details: str) -> web.Response:
        return error_pages.show(world, name, app=client["name"], details=details)

    uri = params.get("redirect_uri", "")
    insecure = world.switches.get(people.PROVIDER, "https_redirects") and urlsplit(uri).scheme != "https"
    if insecure or not redirect_allowed(client["redirect_uris"], uri) or urlsplit(uri).fragment:
        return refuse("redirect_uri_mismatch", f"redirect_uri={uri}")
    if params.get("response_type") != "code":
        return refuse("unsupported_response_type", f"response_type={params.get('response_type', '')}")
    if params.get("scope") != "full":
        return refuse("invalid_scope", f"scope={params.get('scope', '')}")
    return Asked(request_id, client, uri, params.get("state"))


def load(world: World, request_id: str) -> Asked | None:
    """A request whose screen is open; None when it is unknown or an hour old."""
    row = world.store.one(
        "SELECT * FROM authorizations WHERE id = ? AND provider = ?", request_id, people.PROVIDER
    )
    if row is None or row["at"] + 3600 < world.clock.now():
        return None
    asked = check(world, json.loads(row["params"]), request_id)
    return asked if isinstance(asked, Asked) else None


def back(asked: Asked, values: dict[str, str]) -> web.Response:
    """302 to the application, `state` echoed exactly and last, as recorded."""
    pairs = {**values, **({} if asked.state is None else {"state": asked.state})}
    joiner = "&" if "?" in asked.redirect_uri else "?"
    return web.Response(
        status=302,
        headers={"Location": f"{asked.redirect_uri}{joiner}{urlencode(pairs)}", "Cache-Control": "no-store"},
    )
