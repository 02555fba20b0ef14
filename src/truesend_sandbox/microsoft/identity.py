"""Discovery, signing keys, OIDC userinfo, and the person at Graph."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox import accounts, signing
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.microsoft import errors, grants, tenants
from truesend_sandbox.microsoft import scopes as graph_scopes
from truesend_sandbox.microsoft.tenants import PROVIDER


def bearer(call: Call) -> str | None:
    """The access token of the request."""
    header = call.request.headers.get("Authorization", "")
    return header[7:].strip() if header[:7].lower() == "bearer " else None


def identify(call: Call) -> str | None:
    """Whose access token came; also when it is over, so that faults and calls name the account."""
    row = grants.access(call.world, bearer(call))
    account = None if row is None else accounts.by_id(call.world, row["account_id"])
    return account.email if account and account.provider == PROVIDER else None


def _base(call: Call) -> str:
    return f"{call.request.scheme}://{call.request.host}"


def discovery(call: Call) -> web.StreamResponse:
    """`/{tenant}/v2.0/.well-known/openid-configuration` with this sandbox's addresses; issuers stay Microsoft's."""
    tenant, base = call.request.match_info["tenant"], _base(call)
    if not tenants.exists(call.world, tenant):
        return errors.token_error(call, 90002, tenant=tenant)
    named = tenant.lower()
    if named == "consumers":
        issuer = tenants.CONSUMERS
    elif named in ("common", "organizations"):
        issuer = "{tenantid}"
    else:
        issuer = named if tenants.GUID.fullmatch(named) else tenants.tenant_of_domain(named)
    return errors.json_answer(
        {
            "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"https://login.microsoftonline.com/{issuer}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": f"{base}/oidc/userinfo",
            "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
            "claims_supported": [
                *("sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver"),
                "email",
            ],
            "tenant_region_scope": None,
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        }
    )


def keys(call: Call) -> web.StreamResponse:
    """The keys that id_tokens are signed with (JWKS)."""
    key = signing.public_key(call.world.store, PROVIDER)
    listed = {**key, "x5t": key["kid"], "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}
    return errors.json_answer({"keys": [listed]}, headers={"Cache-Control": "max-age=86400"})


def _names(account: Account) -> dict[str, Any]:
    given, _, family = account.name.partition(" ")
    return {"given": given or None, "family": family or None}


def userinfo(call: Call) -> web.StreamResponse:
    """OIDC userinfo of Graph; `sub` is that of the id_token."""
    row = grants.access(call.world, bearer(call))
    account = None if row is None else accounts.by_id(call.world, row["account_id"])
    if row is None or account is None or grants.is_over(row, call.now) or account.fields.get("deleted"):
        return errors.unauthenticated(call, "Access token validation failure. Invalid audience.")
    scopes = set(row["scopes"].split())
    if graph_scopes.OPENID not in scopes:
        return errors.graph_error(call, 403, "AccessDenied", "Access Denied. Required permission: openid.")
    body: dict[str, Any] = {"sub": tenants.subject(account, row["client_id"])}
    if "profile" in scopes:
        names = _names(account)
        body |= {"name": account.name, "given_name": names["given"], "family_name": names["family"]}
        body["picture"] = "https://graph.microsoft.com/v1.0/me/photo/$value"
    if "email" in scopes and account.fields.get("email_claim", True):
        body["email"] = account.email
    return errors.json_answer({name: value for name, value in body.items() if value is not None})


def user(call: Call, account: Account) -> dict[str, Any]:
    """The resource that `GET /v1.0/me` shows without `$select`."""
    names = _names(account)
    return {
        "businessPhones": [],
        "displayName": account.name,
        "givenName": names["given"],
        "jobTitle": None,
        "mail": account.fields.get("mail", account.email),
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": names["family"],
        "userPrincipalName": tenants.user_principal_name(account),
        "id": tenants.graph_id(call.world, account),
    }
