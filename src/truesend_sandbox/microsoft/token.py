"""`POST /{tenant}/oauth2/v2.0/token`: codes and refresh tokens become access tokens (microsoft.md, Error bodies)."""

from __future__ import annotations

import base64
import json
from collections.abc import Set as AbstractSet
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts, signing
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.microsoft import errors, grants, tenants
from truesend_sandbox.microsoft import scopes as graph_scopes
from truesend_sandbox.microsoft.errors import token_error
from truesend_sandbox.microsoft.moments import long_moment
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.oauth import credentials, redirect_allowed, verifier_matches
from truesend_sandbox.store import Row

ISSUER = "https://login.microsoftonline.com/{tenant}/v2.0"
_NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
_DEATHS = {
    "revoked": 50173,
    "password": 50173,
    "unused": 700082,
    "deleted": 50034,
    "disabled": 50057,
    "admin_policy": 53003,
    "conditional_access": 53003,
    "mfa": 50076,
    "sign_in_frequency": 70043,
    "consent_removed": 65001,
}
"""What a refresh token died of → the number of its answer."""
_ABUSE = "User account is found to be in service abuse mode."
_INVALID = "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."
GRANT_CAUSES = tuple(_DEATHS)


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
    return account.email if account and account.provider == PROVIDER else None


def client_name(call: Call) -> str:
    """The client id of the request, for texts that name it."""
    return credentials(call)[0] or ""


def _client(call: Call) -> Row | web.Response:
    client_id, secret = credentials(call)
    if not client_id:
        return token_error(call, 900144, parameter="client_id")
    client = call.world.store.one(
        "SELECT * FROM clients WHERE provider = ? AND client_id = ?", PROVIDER, client_id
    )
    if client is None:
        return token_error(call, 700016, client=client_id, tenant=call.request.match_info["tenant"])
    if not secret:
        return token_error(call, 7000218)
    if not signing.same(client["secret"], secret):
        return token_error(call, 7000215, client=client_id)
    return client


def handle(call: Call) -> web.StreamResponse:
    """A code or a refresh token for an access token."""
    tenant = call.request.match_info["tenant"]
    if not tenants.exists(call.world, tenant):
        return token_error(call, 90002, tenant=tenant)
    grant_type = call.form.get("grant_type")
    if not grant_type:
        return token_error(call, 900144, parameter="grant_type")
    client = _client(call)
    if isinstance(client, web.Response):
        return client
    if call.operation == "token.other":
        return token_error(call, 70003, grant_type=grant_type)
    return _from_code(call, client) if call.operation == "token.code" else _from_refresh(call, client)


def _from_code(call: Call, client: Row) -> web.Response:
    world, code = call.world, call.form.get("code", "")
    for name in ("code", "redirect_uri"):
        if not call.form.get(name):
            return token_error(call, 900144, parameter=name)
    row = world.store.one("SELECT * FROM codes WHERE code = ?", code)
    account = None if row is None else accounts.by_id(world, row["account_id"])
    if row is None or account is None or row["client_id"] != client["client_id"]:
        return token_error(call, 70000)
    if row["used_at"] is not None:
        return token_error(call, 54005)
    if row["at"] + call.switch("code_lifetime") <= call.now:
        if tenants.is_personal(account) and call.switch("personal_errors") == "consumer":
            text = "The provided value for the 'code' parameter is not valid. The code has expired."
            return token_error(call, 70000, text=text)
        return token_error(call, 70008)
    wrong = _mismatch(call, row, account)
    if wrong is not None:
        return wrong
    asked = _asked(call, set(row["scopes"].split()))
    if isinstance(asked, web.Response):
        return asked
    stopped = _stopped(call, client, account, None) or _not_consented(call, client, account, asked)
    if stopped is not None:
        return stopped
    world.store.run("UPDATE codes SET used_at = ? WHERE code = ?", call.now, code)
    scopes = _given(call, client, account, asked | (set(row["scopes"].split()) & graph_scopes.SIGN_IN))
    renewable = row["scopes"].split() if row["offline"] else None
    issued = grants.issue(world, account, client, scopes, renewable=renewable)
    return _answer(call, account, client, issued, row["nonce"])


def _mismatch(call: Call, row: Row, account: Account) -> web.Response | None:
    """What of the exchange does not fit the code: address, tenant, verifier."""
    uri = call.form["redirect_uri"]
    if uri != row["redirect_uri"]:
        text = (
            "The reply URL specified in the request does not match the reply URLs configured for the"
            " application."
        )
        known = redirect_allowed(
            call.world.store.value(
                "SELECT redirect_uris FROM clients WHERE provider = ? AND client_id = ?",
                PROVIDER,
                row["client_id"],
            ),
            uri,
        )
        return token_error(call, 70000 if known else 50011, text=None if known else text)
    if not tenants.admits(call.request.match_info["tenant"], account):
        return token_error(call, 700005)
    if row["challenge"] is None:
        return None
    verifier = call.form.get("code_verifier")
    if not verifier:
        return token_error(call, 501481)
    matches = verifier_matches(verifier, row["challenge"], row["challenge_method"])
    return None if matches else token_error(call, 501481)


def _asked(call: Call, whole: set[str]) -> set[str] | web.Response:
    """The scopes of the request, by default those of the grant."""
    text = call.form.get("scope", "").strip()
    if not text:
        return whole
    known, strange = graph_scopes.read(text)
    if strange:
        return token_error(call, 70011, scope=" ".join(strange))
    return whole if graph_scopes.DEFAULT in known else set(known)


def _given(call: Call, client: Row, account: Account, asked: AbstractSet[str]) -> set[str]:
    """What the token carries: what was asked, and by the switch all else that is granted."""
    granted = grants.granted(call.world, account, client["client_id"])
    more = graph_scopes.of_graph(granted) if call.switch("scope_answer") == "granted" else set()
    return (set(asked) & (granted | graph_scopes.SIGN_IN)) | more


def _not_consented(call: Call, client: Row, account: Account, asked: AbstractSet[str]) -> web.Response | None:
    granted = grants.granted(call.world, account, client["client_id"])
    if graph_scopes.of_graph(asked) <= granted and granted:
        return None
    return death(call, "consent_removed", client, account, None)


def _from_refresh(call: Call, client: Row) -> web.Response:
    world, token = call.world, call.form.get("refresh_token", "")
    if not token:
        return token_error(call, 900144, parameter="refresh_token")
    row = world.store.one("SELECT * FROM refresh_tokens WHERE token = ?", token)
    account = None if row is None else accounts.by_id(world, row["account_id"])
    if row is None or account is None or row["client_id"] != client["client_id"]:
        return token_error(call, 70000)
    tenant = call.request.match_info["tenant"]
    if not tenants.admits(tenant, account):
        values = {
            "user": account.email,
            "tenant": tenant,
            "client": client["client_id"],
            "app": client["name"],
        }
        return token_error(call, 50020, issuer="live.com", **values)
    stopped = _stopped(call, client, account, row)
    if stopped is not None:
        return stopped
    whole = set(row["scopes"].split())
    asked = _asked(call, whole)
    if isinstance(asked, web.Response):
        return asked
    refused = _not_consented(call, client, account, asked)
    if refused is not None:
        return refused
    # The old one stays as good as it was: Microsoft revokes nothing on use.
    world.store.run("UPDATE refresh_tokens SET used_at = ? WHERE id = ?", call.now, row["id"])
    scopes = _given(call, client, account, asked | (whole & graph_scopes.SIGN_IN))
    issued = grants.issue(world, account, client, scopes, renewable=whole)
    return _answer(call, account, client, issued, None)


def _stopped(call: Call, client: Row, account: Account, row: Row | None) -> web.Response | None:
    """Why this account gets no token now: its own state, its administrators', or that of its refresh token."""
    fields = account.fields
    for name, cause in (("deleted", "deleted"), ("disabled", "disabled"), ("admin_block", "admin_policy")):
        if fields.get(name):
            return death(call, cause, client, account, row)
    if fields.get("app_disabled"):
        return token_error(call, 7000112, client=client["client_id"], app=client["name"])
    cause_of_death = None if row is None else grants.death_of(call.world, row)
    return None if cause_of_death is None else death(call, cause_of_death, client, account, row)


def death(
    call: Call, cause: str, client: Row | None, account: Account | None, row: Row | None
) -> web.Response:
    """The answer to a grant that no longer works, by why it does not."""
    if account and tenants.is_personal(account) and call.switch("personal_errors") == "consumer":
        return token_error(call, 70000, text=_ABUSE if cause in ("disabled", "admin_policy") else _INVALID)
    issued_at = call.now if row is None else row["at"]
    died_at = call.now if row is None or row["dead_at"] is None else row["dead_at"]
    days, seconds = divmod(int(call.switch("refresh_inactivity")), 86_400)
    return token_error(
        call,
        _DEATHS[cause],
        issued=long_moment(issued_at),
        valid_from=long_moment(died_at),
        inactive=f"{days}.{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}",
        client=client["client_id"] if client else client_name(call),
        app=client["name"] if client else "Truesend",
        tenant=tenants.tenant_id(account) if account else call.request.match_info["tenant"],
    )


def _answer(
    call: Call, account: Account, client: Row, issued: grants.Issued, nonce: str | None
) -> web.Response:
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": grants.in_answer(call.world, issued.scopes),
        "expires_in": issued.expires_in,
    }
    if call.switch("ext_expires_in"):
        body["ext_expires_in"] = issued.expires_in
    body["access_token"] = issued.access_token
    if issued.refresh_token:
        body["refresh_token"] = issued.refresh_token
    if graph_scopes.OPENID in issued.scopes:
        body["id_token"] = id_token(call, account, client, issued.scopes, nonce)
    if call.form.get("client_info") == "1":
        info = {"uid": tenants.object_id(account), "utid": tenants.tenant_id(account)}
        body["client_info"] = base64.urlsafe_b64encode(json.dumps(info).encode()).rstrip(b"=").decode()
    return errors.json_answer(body, headers=_NO_STORE)


def id_token(call: Call, account: Account, client: Row, scopes: AbstractSet[str], nonce: str | None) -> str:
    """The signed identity, version 2.0; claims by the scopes given (id-token-claims-reference)."""
    now, tenant = int(call.now), tenants.tenant_id(account)
    claims: dict[str, Any] = {
        "aud": client["client_id"],
        "iss": ISSUER.format(tenant=tenant),
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "sub": tenants.subject(account, client["client_id"]),
        "tid": tenant,
        "ver": "2.0",
    }
    if "profile" in scopes:
        claims |= {
            "name": account.name,
            "oid": tenants.object_id(account),
            "preferred_username": tenants.user_principal_name(account),
        }
    if "email" in scopes and account.fields.get("email_claim", True):
        claims["email"] = account.email
    if nonce is not None:
        claims["nonce"] = nonce
    return signing.sign(call.world.store, PROVIDER, claims)
