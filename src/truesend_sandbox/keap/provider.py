"""Keap as one of the sandbox's providers: its addresses, operations, accounts and client."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.door import Call, Endpoint
from truesend_sandbox.keap import (
    address_api,
    authorize,
    consent_forms,
    contacts_v1,
    contacts_v2,
    control,
    emails_v1,
    emails_v2,
    error_pages,
    faults,
    gateway,
    grants,
    hooks,
    identity,
    pages,
    people,
    send,
    token,
    tracking,
)
from truesend_sandbox.keap.errors import API_BASES
from truesend_sandbox.keap.switches import SWITCHES
from truesend_sandbox.world import Provider, World

CLIENT_ID = "sandbox-keap-client"
CLIENT_SECRET = "sandbox-keap-secret"  # noqa: S105  # of the sandbox, as documented

OPERATIONS: dict[str, tuple[str, ...]] = {
    "authorize": (),
    "token.code": ("token",),
    "token.refresh": ("token",),
    "token.other": ("token",),
    "userinfo": ("identity",),
    "users.list": ("identity",),
    "users.get": ("identity",),
    "contacts.list": ("contacts",),
    "contacts.get": ("contacts",),
    "contacts.create": ("contacts",),
    "contacts.upsert": ("contacts",),
    "contacts.update": ("contacts",),
    "contacts.delete": ("contacts",),
    "addresses.list": ("contacts",),
    "addresses.get": ("contacts",),
    "addresses.update": ("contacts",),
    "send": (),
    "send.check": ("send",),
    "emails.list": ("read",),
    "emails.get": ("read",),
    "emails.create": (),
    "emails.delete": (),
    "hooks.list": (),
    "hooks.get": (),
    "hooks.create": (),
    "hooks.verify": (),
    "hooks.delete": (),
    "other": (),
}

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
Name = str | Callable[[Call], str]


def _api(operation: Name, handler: gateway.Handler) -> Serve:
    return Endpoint(people.PROVIDER, operation, gateway.identify, gateway.guarded(handler)).serve


def _routes_v2(base: str) -> list[web.RouteDef]:
    at = f"{base}/v2"
    return [
        web.get(f"{at}/oauth/connect/userinfo", _api("userinfo", identity.userinfo_v2)),
        web.get(f"{at}/users", _api("users.list", identity.users_v2)),
        web.get(f"{at}/users/{{id}}", _api("users.get", identity.user_v2)),
        web.get(f"{at}/contacts", _api("contacts.list", contacts_v2.listing)),
        web.post(f"{at}/contacts", _api(contacts_v2.creating, contacts_v2.create)),
        web.get(f"{at}/contacts/{{id}}", _api("contacts.get", contacts_v2.get)),
        web.patch(f"{at}/contacts/{{id}}", _api("contacts.update", contacts_v2.update)),
        web.delete(f"{at}/contacts/{{id}}", _api("contacts.delete", contacts_v2.delete)),
        web.get(f"{at}/emailAddresses", _api("addresses.list", address_api.listing)),
        web.get(f"{at}/emailAddresses/{{email}}/status", _api("addresses.get", address_api.status)),
        web.patch(f"{at}/emailAddresses/{{email}}/status", _api("addresses.update", address_api.change)),
        web.post(f"{at}/emails:send", _api(send.operation, send.send)),
        web.get(f"{at}/emails", _api("emails.list", emails_v2.listing)),
        web.post(f"{at}/emails", _api("emails.create", emails_v2.create)),
        web.get(f"{at}/emails/{{id}}", _api("emails.get", emails_v2.get)),
        web.delete(f"{at}/emails/{{id}}", _api("emails.delete", emails_v2.delete)),
    ]


def _routes_v1(base: str) -> list[web.RouteDef]:
    at = f"{base}/v1"
    return [
        web.get(f"{at}/oauth/connect/userinfo", _api("userinfo", identity.userinfo_v1)),
        web.get(f"{at}/users", _api("users.list", identity.users_v1)),
        web.get(f"{at}/contacts", _api("contacts.list", contacts_v1.listing)),
        web.put(f"{at}/contacts", _api("contacts.upsert", contacts_v1.upsert)),
        web.post(f"{at}/contacts", _api("contacts.create", contacts_v1.create)),
        web.get(f"{at}/contacts/{{id}}", _api("contacts.get", contacts_v1.get)),
        web.patch(f"{at}/contacts/{{id}}", _api("contacts.update", contacts_v1.update)),
        web.delete(f"{at}/contacts/{{id}}", _api("contacts.delete", contacts_v2.delete)),
        web.get(f"{at}/contacts/{{id}}/emails", _api("emails.list", emails_v1.of_contact)),
        web.post(f"{at}/contacts/{{id}}/emails", _api("emails.create", emails_v1.create)),
        web.put(f"{at}/emailAddresses/{{email}}", _api("addresses.update", address_api.change_v1)),
        web.get(f"{at}/hooks", _api("hooks.list", hooks.listing)),
        web.post(f"{at}/hooks", hooks.create),
        web.get(f"{at}/hooks/{{key}}", _api("hooks.get", hooks.get)),
        web.delete(f"{at}/hooks/{{key}}", _api("hooks.delete", hooks.delete)),
        web.post(f"{at}/hooks/{{key}}/verify", hooks.verify),
        web.post(f"{at}/emails/queue", _api(send.operation, send.send)),
        web.get(f"{at}/emails", _api("emails.list", emails_v1.listing)),
        web.post(f"{at}/emails", _api("emails.create", emails_v1.create)),
        web.get(f"{at}/emails/{{id}}", _api("emails.get", emails_v1.get)),
        web.delete(f"{at}/emails/{{id}}", _api("emails.delete", emails_v2.delete)),
    ]


def routes(_: World) -> list[web.RouteDef]:
    """Consent and token, and the API at both of the bases Keap's own documents name."""
    consent = Endpoint(people.PROVIDER, "authorize", authorize.identify, authorize.handle).serve
    exchange = Endpoint(people.PROVIDER, token.operation, token.identify, token.handle).serve
    listed = [
        web.get("/app/oauth/authorize", consent),
        web.post("/app/oauth/account", consent_forms.account),
        web.get("/app/oauth/another", consent_forms.another),
        web.post("/app/oauth/decide", consent_forms.decide),
        web.post("/keap/token", exchange),
        web.get("/keap/sent", pages.sent),
        web.get("/keap/records", pages.records),
        web.get("/keap/settings", pages.settings),
        web.post("/keap/settings", pages.settings),
        *tracking.routes(),
    ]
    nothing = _api("other", gateway.nothing_there)
    for base in API_BASES:
        listed += [*_routes_v2(base), *_routes_v1(base), web.route("*", f"{base}/{{rest:.*}}", nothing)]
    return listed


def prepare(world: World) -> None:
    """The registered client."""
    world.store.run(
        "INSERT OR IGNORE INTO clients (provider, client_id, secret, project, name, redirect_uris)"
        " VALUES (?, ?, ?, 'sandbox', 'Truesend', ?)",
        people.PROVIDER,
        CLIENT_ID,
        CLIENT_SECRET,
        json.dumps(["http://localhost:*/oauth/keap/callback"]),
    )


_FLAGS = ("admin", "admin_block", "disabled", "deleted")


def check_account(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`tenants` and `from_addresses` (lists), `admin, admin_block, disabled, deleted` (true or false)."""
    checked: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _FLAGS:
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false")
            checked[name] = value
        elif name in ("tenants", "from_addresses"):
            if not isinstance(value, list) or (name == "tenants" and not value):
                raise ValueError(f"{name} must be a list")
            one = people.tenant_name if name == "tenants" else normal_address
            checked[name] = list(dict.fromkeys(one(item) for item in value))
        else:
            raise ValueError(
                f"a keap account has no {name}; known: name, tenants, from_addresses, {', '.join(_FLAGS)}"
            )
    return checked


def check_untick(wanted: list[str]) -> list[str]:
    """Keap has one scope, which cannot be left out."""
    if wanted:
        raise ValueError("keap has one scope, full, and no box to untick")
    return []


KEAP = Provider(
    name=people.PROVIDER,
    title="Keap",
    switches=SWITCHES,
    operations=OPERATIONS,
    error_pages=tuple(error_pages.PAGES),
    routes=routes,
    prepare=prepare,
    fault_answer=faults.answer,
    fault_concerns=faults.concerns,
    apply_damage=faults.apply,
    check_account=check_account,
    check_untick=check_untick,
    receive=lambda _, __, ___: None,
    grant_causes=grants.CAUSES,
    asks=frozenset({"send.check"}),
    controls=control.routes,
    settle=people.settle,
    check_tenant=people.tenant_name,
    returned=tracking.returned,
)
