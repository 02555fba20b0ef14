"""Who the account is: userinfo in both spellings, the signing keys, discovery, and revocation."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from truesend_sandbox import accounts, signing
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.google import grants
from truesend_sandbox.google import scopes as google_scopes
from truesend_sandbox.google.errors import json_answer, oauth_error, unauthenticated


def bearer(call: Call) -> str | None:
    """The access token of the request: header, or the query parameter Google still takes."""
    header = call.request.headers.get("Authorization", "")
    if header[:7].lower() == "bearer ":
        return header[7:].strip()
    return call.request.query.get("access_token")


def identify(call: Call) -> str | None:
    """Whose access token came; also when it has died, so that faults and calls name the account."""
    number = call.world.store.value("SELECT account_id FROM access_tokens WHERE token = ?", bearer(call))
    account = None if number is None else accounts.by_id(call.world, number)
    return account.email if account else None


def _profile(account: Account, scopes: set[str]) -> dict[str, Any]:
    given, _, family = account.name.partition(" ")
    claims: dict[str, Any] = {}
    if google_scopes.PROFILE in scopes:
        claims |= {"name": account.name, "given_name": given}
        if family:
            claims["family_name"] = family
        claims["picture"] = f"https://lh3.googleusercontent.com/a/sandbox-{account.id}=s96-c"
    return claims


def userinfo(call: Call) -> web.StreamResponse:
    """OIDC userinfo; without the email scope only `sub`."""
    token = bearer(call)
    row = grants.find_access(call.world, token) if token else None
    account = None if row is None else accounts.by_id(call.world, row["account_id"])
    if row is None or account is None or account.fields.get("deleted") or account.fields.get("disabled"):
        if call.request.path.startswith("/oauth2/v2"):
            return unauthenticated()
        return oauth_error(401, "invalid_request", "Invalid Credentials")
    scopes = set(row["scopes"].split())
    legacy = call.request.path.startswith("/oauth2/v2")
    body: dict[str, Any] = {"id" if legacy else "sub": account.sub, **_profile(account, scopes)}
    if google_scopes.EMAIL in scopes:
        body |= {"email": account.email, "verified_email" if legacy else "email_verified": True}
        if account.domain:
            body["hd"] = account.domain
    return json_answer(body)


def certs(call: Call) -> web.StreamResponse:
    """The keys that id_tokens are signed with (JWKS)."""
    return json_answer(
        {"keys": [signing.public_key(call.world.store, grants.PROVIDER)]},
        headers={"Cache-Control": "public, max-age=21600"},
    )


def discovery(call: Call) -> web.StreamResponse:
    """`/.well-known/openid-configuration` with this sandbox's addresses; the issuer stays Google's."""
    base = f"{call.request.scheme}://{call.request.host}"
    return json_answer(
        {
            "issuer": grants.ISSUER,
            "authorization_endpoint": f"{base}/o/oauth2/v2/auth",
            "token_endpoint": f"{base}/token",
            "userinfo_endpoint": f"{base}/v1/userinfo",
            "revocation_endpoint": f"{base}/revoke",
            "jwks_uri": f"{base}/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "iss", "name", "sub"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
        }
    )


def _token_to_revoke(call: Call) -> str:
    return call.request.query.get("token") or call.form.get("token", "")


def identify_revoked(call: Call) -> str | None:
    """Whose token is about to be revoked."""
    token = _token_to_revoke(call)
    number = call.world.store.value(
        "SELECT account_id FROM refresh_tokens WHERE token = ?1"
        " UNION ALL SELECT account_id FROM access_tokens WHERE token = ?1",
        token,
    )
    account = None if number is None else accounts.by_id(call.world, number)
    return account.email if account else None


def revoke(call: Call) -> web.StreamResponse:
    """Either token ends every grant of this account to the project, all its clients [W]."""
    token = _token_to_revoke(call)
    if not token or parse_qs(call.request.query_string).get("token", [token]) != [token]:
        return oauth_error(400, "invalid_request", "Missing required parameter: token")
    world = call.world
    row = grants.find_access(world, token)
    if row is None:
        row = world.store.one("SELECT * FROM refresh_tokens WHERE token = ?", token)
        if row is None or grants.death_of(row, call.now):
            return oauth_error(400, "invalid_token", "Token expired or revoked")
    grants.revoke_project(world, row["account_id"], row["project"], delay=call.switch("revoke_delay"))
    return json_answer({})
