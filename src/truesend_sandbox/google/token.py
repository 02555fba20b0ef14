"""`POST /token`: codes and refresh tokens become access tokens. Error bodies: google.md §1, table."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts, signing
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.google import grants
from truesend_sandbox.google import scopes as google_scopes
from truesend_sandbox.google.errors import json_answer, oauth_error
from truesend_sandbox.oauth import credentials, verifier_matches
from truesend_sandbox.store import Row

EXPIRED = "Token has been expired or revoked."

_NO_STORE = {
    "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
    "Pragma": "no-cache",
}


def operation(call: Call) -> str:
    """`token.code`, `token.refresh` or `token.other`."""
    grant_type = call.form.get("grant_type")
    return {"authorization_code": "token.code", "refresh_token": "token.refresh"}.get(
        grant_type or "", "token.other"
    )


def identify(call: Call) -> str | None:
    """Whose token this is about."""
    if call.operation == "token.code":
        sql, value = "SELECT account_id FROM codes WHERE code = ?", call.form.get("code")
    else:
        sql, value = "SELECT account_id FROM refresh_tokens WHERE token = ?", call.form.get("refresh_token")
    number = call.world.store.value(sql, value)
    account = None if number is None else accounts.by_id(call.world, number)
    return account.email if account else None


def wrong_secret(call: Call) -> web.Response:
    """401 for a client whose secret does not match."""
    return oauth_error(401, "invalid_client", call.switch("wrong_secret_text"))


def _client(call: Call) -> Row | web.Response:
    client_id, secret = credentials(call)
    if not client_id:
        return oauth_error(400, "invalid_request", "Could not determine client ID from request.")
    client = call.world.store.one(
        "SELECT * FROM clients WHERE provider = 'google' AND client_id = ?", client_id
    )
    if client is None:
        return oauth_error(401, "invalid_client", "The OAuth client was not found.")
    if not secret:
        return oauth_error(400, "invalid_request", "client_secret is missing.")
    if not secrets.compare_digest(client["secret"].encode(), secret.encode()):
        return wrong_secret(call)
    return client


def handle(call: Call) -> web.StreamResponse:
    """`/token`: a code or a refresh token for an access token."""
    grant_type = call.form.get("grant_type")
    if not grant_type:
        return oauth_error(400, "invalid_request", "Required parameter is missing: grant_type")
    if call.operation == "token.other":
        return oauth_error(400, "unsupported_grant_type", f"Invalid grant_type: {grant_type}")
    client = _client(call)
    if isinstance(client, web.Response):
        return client
    return _from_code(call, client) if call.operation == "token.code" else _from_refresh(call, client)


def _pkce_error(row: Row, verifier: str | None) -> str | None:
    """What is wrong with the verifier, in Google's words; None when nothing is."""
    if row["challenge"] is None:
        return None
    if not verifier:
        return "Missing code verifier."
    matches = verifier_matches(verifier, row["challenge"], row["challenge_method"])
    return None if matches else "Invalid code verifier."


def _from_code(call: Call, client: Row) -> web.Response:
    world, code = call.world, call.form.get("code", "")
    if not code:
        return oauth_error(400, "invalid_request", "Missing required parameter: code")
    if not code.startswith("4/"):
        return oauth_error(400, "invalid_grant", "Malformed auth code.")
    row = world.store.one("SELECT * FROM codes WHERE code = ?", code)
    if (
        row is None
        or row["client_id"] != client["client_id"]
        or row["used_at"] is not None
        or row["at"] + call.switch("code_lifetime") <= call.now
    ):
        return oauth_error(400, "invalid_grant", "Bad Request")
    if "redirect_uri" not in call.form:
        return oauth_error(400, "invalid_request", "Missing parameter: redirect_uri")
    if call.form["redirect_uri"] != row["redirect_uri"]:
        return oauth_error(400, "redirect_uri_mismatch", "Bad Request")
    wrong = _pkce_error(row, call.form.get("code_verifier"))
    if wrong:
        return oauth_error(400, "invalid_grant", wrong)
    account = accounts.by_id(world, row["account_id"])
    assert account is not None
    world.store.run("UPDATE codes SET used_at = ? WHERE code = ?", call.now, code)
    issued = grants.issue(world, account, client, row["scopes"].split(), with_refresh=bool(row["offline"]))
    body = _answer(call, account, client, issued, nonce=row["nonce"])
    return json_answer(body, headers=_NO_STORE)


def death(cause: str) -> web.Response:
    """The answer to a refresh token that no longer works, by why it does not."""
    if cause == "rapt":
        return oauth_error(400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt")
    if cause == "admin_policy":
        return oauth_error(
            400,
            "admin_policy_enforced",
            "Access to your account data is restricted by policies within your organization.",
        )
    if cause in ("deleted", "disabled"):
        return oauth_error(400, "invalid_grant", f"Account has been {cause}")
    return oauth_error(400, "invalid_grant", EXPIRED)


def _from_refresh(call: Call, client: Row) -> web.Response:
    world, token = call.world, call.form.get("refresh_token", "")
    if not token:
        return oauth_error(400, "invalid_request", "Missing required parameter: refresh_token")
    row = world.store.one("SELECT * FROM refresh_tokens WHERE token = ?", token)
    if row is None:
        return oauth_error(400, "invalid_grant", "Bad Request")
    if row["client_id"] != client["client_id"]:
        return oauth_error(401, "unauthorized_client", "Unauthorized")
    account = accounts.by_id(world, row["account_id"])
    assert account is not None
    cause = grants.death_of(row, call.now) or next(
        (name for name in ("deleted", "disabled") if account.fields.get(name)), None
    )
    if cause:
        return death(cause)
    world.store.run("UPDATE refresh_tokens SET used_at = ? WHERE id = ?", call.now, row["id"])
    scopes = tuple(row["scopes"].split())
    access, lifetime = grants.new_access(world, account.id, client, scopes, row["id"])
    remaining = None if row["expires_at"] is None else int(row["expires_at"] - call.now)
    rotated = None
    if call.switch("refresh_answers_with_refresh_token"):
        rotated = token
    issued = grants.Issued(access, lifetime, scopes, rotated, remaining)
    return json_answer(_answer(call, account, client, issued, nonce=None), headers=_NO_STORE)


def _answer(
    call: Call, account: Account, client: Row, issued: grants.Issued, *, nonce: str | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"access_token": issued.access_token, "expires_in": issued.expires_in}
    if issued.refresh_token:
        body["refresh_token"] = issued.refresh_token
    body["scope"] = google_scopes.in_answer(issued.scopes)
    body |= {"token_type": "Bearer"}
    if google_scopes.OPENID in issued.scopes:
        body["id_token"] = id_token(call, account, client, issued, nonce)
    if issued.refresh_expires_in is not None:
        body["refresh_token_expires_in"] = issued.refresh_expires_in
    return body


def id_token(call: Call, account: Account, client: Row, issued: grants.Issued, nonce: str | None) -> str:
    """The signed identity; claims by the scopes given."""
    now = int(call.now)
    claims: dict[str, Any] = {
        "iss": call.switch("id_token_issuer"),
        "azp": client["client_id"],
        "aud": client["client_id"],
        "sub": account.sub,
    }
    if account.domain:
        claims["hd"] = account.domain
    if google_scopes.EMAIL in issued.scopes:
        claims |= {"email": account.email, "email_verified": True}
    claims["at_hash"] = signing.at_hash(issued.access_token)
    if nonce is not None:
        claims["nonce"] = nonce
    if google_scopes.PROFILE in issued.scopes:
        given, _, family = account.name.partition(" ")
        claims |= {"name": account.name, "given_name": given}
        if family:
            claims["family_name"] = family
    return signing.sign(call.world.store, grants.PROVIDER, {**claims, "iat": now, "exp": now + 3600})
