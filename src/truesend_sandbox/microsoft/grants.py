"""Consents, codes, tokens, and what ends them: microsoft.md, Token endpoint."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from truesend_sandbox.accounts import Account
from truesend_sandbox.microsoft import scopes as graph_scopes
from truesend_sandbox.microsoft import tenants
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

_GRAPH_APP = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True)
class Issued:
    """What a token answer carries."""

    access_token: str
    expires_in: int
    scopes: frozenset[str]
    refresh_token: str | None


def by_tenant(world: World, account: Account, client_id: str) -> set[str]:
    """What an administrator has granted for everybody in the account's tenant."""
    if tenants.is_personal(account):
        return set()
    text = world.store.value(
        "SELECT scopes FROM microsoft_tenants WHERE tenant = ? AND client_id = ?",
        tenants.tenant_id(account),
        client_id,
    )
    return set(text.split()) if text else set()


def granted(world: World, account: Account, client_id: str) -> set[str]:
    """What the account, or its tenant for it, has granted to the application."""
    text = world.store.value(
        "SELECT scopes FROM grants WHERE account_id = ? AND project = ?", account.id, client_id
    )
    return (set(text.split()) if text else set()) | by_tenant(world, account, client_id)


def remember(world: World, account: Account, client_id: str, scopes: Iterable[str]) -> None:
    """Add to what the account has granted."""
    text = world.store.value(
        "SELECT scopes FROM grants WHERE account_id = ? AND project = ?", account.id, client_id
    )
    world.store.run(
        "INSERT OR REPLACE INTO grants (account_id, project, scopes, at) VALUES (?, ?, ?, ?)",
        account.id,
        client_id,
        " ".join(sorted({*(text or "").split(), *scopes})),
        world.clock.now(),
    )


def remember_for_tenant(world: World, tenant: str, client_id: str, scopes: Iterable[str]) -> None:
    """Add to what an administrator has granted for a whole tenant."""
    text = world.store.value(
        "SELECT scopes FROM microsoft_tenants WHERE tenant = ? AND client_id = ?", tenant, client_id
    )
    world.store.run(
        "INSERT OR REPLACE INTO microsoft_tenants (tenant, client_id, scopes, at) VALUES (?, ?, ?, ?)",
        tenant,
        client_id,
        " ".join(sorted({*(text or "").split(), *scopes})),
        world.clock.now(),
    )


def new_code(account: Account) -> str:
    """A code as it looks for a work or a personal account."""
    if tenants.is_personal(account):
        return f"M.C5{secrets.randbelow(1000):03d}_BAY.2.U.{uuid.uuid4()}"
    return f"1.A{secrets.token_urlsafe(300)}"


def issue(
    world: World, account: Account, client: Row, scopes: Iterable[str], *, renewable: Iterable[str] | None
) -> Issued:
    """Tokens for `scopes`. A refresh token, always a new one, comes for the scopes `renewable`, if any."""
    now, kept = world.clock.now(), frozenset(scopes)
    refresh_token: str | None = None
    refresh_id: int | None = None
    if renewable is not None:
        refresh_token = (
            f"M.C5{secrets.randbelow(1000):03d}_BAY.0.U.-{secrets.token_urlsafe(280)}"
            if tenants.is_personal(account)
            else f"1.A{secrets.token_urlsafe(700)}"
        )
        refresh_id = world.store.insert(
            "INSERT INTO refresh_tokens (token, client_id, project, account_id, scopes, at, used_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            refresh_token,
            client["client_id"],
            client["client_id"],
            account.id,
            " ".join(sorted(renewable)),
            now,
            now,
        )
    lifetime = int(world.switches.get(PROVIDER, "access_token_lifetime")) or 3600 + secrets.randbelow(1801)
    access_token = _access_token(world, account, client, kept, int(now), lifetime)
    world.store.run(
        "INSERT INTO access_tokens (token, refresh_id, client_id, project, account_id, scopes, at,"
        " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        access_token,
        refresh_id,
        client["client_id"],
        client["client_id"],
        account.id,
        " ".join(sorted(kept)),
        now,
        now + lifetime,
    )
    return Issued(access_token, lifetime, kept, refresh_token)


def _access_token(
    world: World, account: Account, client: Row, scopes: frozenset[str], now: int, lifetime: int
) -> str:
    """Opaque for a personal account. Else it looks like a JWT whose signature nobody but Graph can check."""
    if tenants.is_personal(account):
        return f"EwB{secrets.token_urlsafe(900)}"
    tenant = tenants.tenant_id(account)
    header = {"typ": "JWT", "nonce": secrets.token_urlsafe(32), "alg": "RS256", "kid": "graph"}
    claims = {
        "aud": _GRAPH_APP,
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
        "appid": client["client_id"],
        "oid": tenants.object_id(account),
        "scp": " ".join(sorted(scopes)),
        "tid": tenant,
        "upn": tenants.user_principal_name(account),
        "ver": "1.0",
    }
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)
    ]
    return ".".join([*parts, secrets.token_urlsafe(256)])


def in_answer(world: World, scopes: Iterable[str]) -> str:
    """The `scope` of a token answer: never offline_access, openid by a switch."""
    prefix = graph_scopes.RESOURCE if world.switches.get(PROVIDER, "scope_form") == "long" else ""
    hidden = {graph_scopes.OFFLINE}
    if not world.switches.get(PROVIDER, "scope_lists_openid"):
        hidden.add(graph_scopes.OPENID)
    return " ".join(
        name if name in graph_scopes.SIGN_IN else prefix + name for name in sorted(set(scopes) - hidden)
    )


def death_of(world: World, row: Row) -> str | None:
    """Why this refresh token does not work now; None when it does."""
    now = world.clock.now()
    if row["dead_at"] is not None and row["dead_at"] <= now:
        return str(row["dead_cause"])
    if row["used_at"] + world.switches.get(PROVIDER, "refresh_inactivity") <= now:
        return "unused"
    return None


def kill(world: World, account_id: int, cause: str) -> None:
    """Refresh tokens of the account die for `cause`; access tokens live on, nothing can call them back."""
    world.store.run(
        "UPDATE refresh_tokens SET dead_at = ?, dead_cause = ? WHERE account_id = ? AND dead_at IS NULL",
        world.clock.now(),
        cause,
        account_id,
    )


def access(world: World, token: str | None) -> Row | None:
    """The row of an access token, whether it works or not."""
    return None if not token else world.store.one("SELECT * FROM access_tokens WHERE token = ?", token)


def is_over(row: Row, now: float) -> bool:
    """Whether an access token has come to its end."""
    return row["expires_at"] <= now or (row["dead_at"] is not None and row["dead_at"] <= now)
