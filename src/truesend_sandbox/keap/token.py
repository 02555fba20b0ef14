"""`POST /keap/token`: codes and refresh tokens become pairs. Shapes and error bodies: keap.md §1."""

from __future__ import annotations

import secrets

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.door import Call
from truesend_sandbox.keap import grants, people
from truesend_sandbox.keap.errors import json_answer, oauth_error
from truesend_sandbox.oauth import credentials
from truesend_sandbox.store import Row

_NO_TYPE = "response_type or grant_type is required"


def operation(call: Call) -> str:
    """`token.code`, `token.refresh` or `token.other`."""
    if call.request.content_type != "application/x-www-form-urlencoded":
        return "token.other"
    return {"authorization_code": "token.code", "refresh_token": "token.refresh"}.get(
        call.form.get("grant_type", ""), "token.other"
    )


def identify(call: Call) -> str | None:
    """Whose code or refresh token came."""
    if call.operation == "token.code":
        sql, value = "SELECT account_id FROM codes WHERE code = ?", call.form.get("code")
    else:
        sql = "SELECT account_id FROM keap_pairs WHERE refresh_token = ?"
        value = call.form.get("refresh_token")
    number = call.world.store.value(sql, value)
    account = None if number is None else accounts.by_id(call.world, number)
    return account.email if account else None


def wrong_client(call: Call) -> web.Response:
    """401 for a client that is unknown, has another secret, or showed it in the wrong place."""
    if call.switch("wrong_secret_body") == "apigee":
        return json_answer({"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"}, 401)
    return oauth_error(401, "invalid_client", "Client credentials are invalid")


def dead_refresh(call: Call) -> web.Response:
    """400 for a refresh token that does not work, for whatever reason."""
    if call.switch("dead_refresh_body") == "invalid_request":
        return oauth_error(400, "invalid_request", "Invalid Refresh Token")
    return oauth_error(400, "invalid_grant", "Invalid refresh token")


def bad_code(call: Call) -> web.Response:
    """A code that is wrong, used, too old or not for this client and address."""
    if call.switch("bad_code_body") == "invalid":
        return oauth_error(400, "invalid_grant", "Authorization code is invalid")
    return oauth_error(401, "invalid_grant", "Unable to authenticate username and password")


def _client(call: Call) -> Row | None:
    """The client that asks, shown where Keap wants it: in the body for a code, as Basic for a refresh."""
    in_header = "Authorization" in call.request.headers
    in_body = "client_id" in call.form or "client_secret" in call.form
    if call.switch("strict_client_auth") and (in_header, in_body) != (
        call.operation == "token.refresh",
        call.operation == "token.code",
    ):
        return None
    name, secret = credentials(call)
    client = call.world.store.one(
        "SELECT * FROM clients WHERE provider = ? AND client_id = ?", people.PROVIDER, name
    )
    if client is None or not secrets.compare_digest(client["secret"].encode(), (secret or "").encode()):
        return None
    return client


def handle(call: Call) -> web.StreamResponse:
    """A code or a refresh token for a new pair."""
    if call.operation == "token.other":
        grant_type = call.form.get("grant_type")
        if grant_type and call.request.content_type == "application/x-www-form-urlencoded":
            return oauth_error(400, "unsupported_grant_type", f"Unsupported grant type: {grant_type}")
        return oauth_error(400, "invalid_request", _NO_TYPE)
    client = _client(call)
    if client is None:
        return wrong_client(call)
    return _from_code(call, client) if call.operation == "token.code" else _from_refresh(call, client)


def _from_code(call: Call, client: Row) -> web.Response:
    world = call.world
    row = world.store.one("SELECT * FROM codes WHERE code = ?", call.form.get("code"))
    if (
        row is None
        or row["client_id"] != client["client_id"]
        or row["used_at"] is not None
        or row["at"] + call.switch("code_lifetime") <= call.now
        or row["redirect_uri"] != call.form.get("redirect_uri")
    ):
        return bad_code(call)
    account, tenant = accounts.by_id(world, row["account_id"]), people.tenant_of(row["scopes"])
    if account is None or not people.may_use(world, tenant, account):
        return bad_code(call)
    world.store.run("UPDATE codes SET used_at = ? WHERE code = ?", call.now, row["code"])
    grants.end_earlier(world, account.id, client["client_id"], tenant)
    return _answer(grants.issue(world, account.id, client["client_id"], tenant))


def _from_refresh(call: Call, client: Row) -> web.Response:
    world = call.world
    row = grants.by_refresh(world, call.form.get("refresh_token"))
    if row is None or row["client_id"] != client["client_id"] or not grants.refreshable(row, call.now):
        return dead_refresh(call)
    account = accounts.by_id(world, row["account_id"])
    if account is None or not people.may_use(world, row["tenant"], account):
        return dead_refresh(call)
    grants.spend(world, row)
    return _answer(grants.issue(world, account.id, client["client_id"], row["tenant"]))


def _answer(issued: grants.Issued) -> web.Response:
    return json_answer(
        {
            "access_token": issued.access_token,
            "token_type": "bearer",
            # The recorded answers say one second less than the lifetime that is named.
            "expires_in": issued.expires_in - 1,
            "refresh_token": issued.refresh_token,
            "scope": people.scope(issued.tenant),
        },
        headers={"Cache-Control": "no-store"},
    )
