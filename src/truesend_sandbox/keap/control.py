"""`/_sandbox/keap/…`: what only Keap needs to be steered by."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account, normal_address
from truesend_sandbox.control import answered
from truesend_sandbox.keap import addresses, grants, history, people
from truesend_sandbox.world import World


def _account(world: World, body: dict[str, Any]) -> tuple[Account, str]:
    account = accounts.ensure(world, people.PROVIDER, normal_address(body.get("account")))
    tenant = people.tenants(account)[0] if body.get("tenant") is None else people.tenant_name(body["tenant"])
    return account, tenant


async def _key(world: World, _request: web.Request, body: dict[str, Any]) -> object:
    strange = set(body) - {"account", "tenant", "kind"}
    if strange:
        raise ValueError(f"a key has no {', '.join(sorted(strange))}")
    kind = body.get("kind", "sak")
    if kind not in ("pat", "sak"):
        raise ValueError("kind must be pat or sak")
    account, tenant = _account(world, body)
    if kind == "sak" and not account.fields.get("admin", True):
        raise ValueError("only an admin may make a Service Account Key")
    account = people.admit(world, account, tenant)
    key = grants.make_key(world, account, tenant, kind)
    return web.json_response(
        {"key": key, "kind": kind, "account": account.email, "tenant": tenant}, status=201
    )


async def _address(world: World, _request: web.Request, body: dict[str, Any]) -> object:
    strange = set(body) - {"account", "tenant", "email", "status"}
    if strange:
        raise ValueError(f"an address has no {', '.join(sorted(strange))}")
    status = body.get("status")
    if status not in addresses.STATUSES:
        raise ValueError(f"status must be one of {', '.join(addresses.STATUSES)}")
    email = normal_address(body.get("email"))
    if body.get("account") is None:
        tenant = people.tenant_name(body.get("tenant"))
    else:
        _, tenant = _account(world, body)
    addresses.put(world, tenant, email, status)
    return {"tenant": tenant, "email": email, "status": status}


async def _records(world: World, request: web.Request, _: dict[str, Any]) -> object:
    query = request.query
    strange = set(query) - {"account", "tenant"}
    if strange:
        raise ValueError(f"records are not found by {', '.join(sorted(strange))}")
    if query.get("account") is not None:
        found = accounts.find(world, people.PROVIDER, normal_address(query["account"]))
        mine = [] if found is None else people.tenants(found)
    else:
        mine = []
    tenant = people.tenant_name(query["tenant"]) if "tenant" in query else mine[0] if mine else None
    return {"items": [history.recorded(row) for row in history.records(world, tenant)]}


def routes(_: World) -> list[web.RouteDef]:
    """The addresses below `/_sandbox/keap`."""
    return [
        web.post("/_sandbox/keap/keys", answered(_key)),
        web.post("/_sandbox/keap/addresses", answered(_address)),
        web.get("/_sandbox/keap/records", answered(_records)),
    ]
