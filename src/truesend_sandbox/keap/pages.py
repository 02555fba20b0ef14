"""Keap as a person sees it in the browser: the mails sent, and the page that makes keys. There is no sign-in here."""

from __future__ import annotations

import json

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.keap import grants, history, people
from truesend_sandbox.pages import render
from truesend_sandbox.world import WORLD

PAGE = 50


def _account(request: web.Request) -> Account:
    found = accounts.find(request.app[WORLD], people.PROVIDER, request.query.get("user", ""))
    if found is None:
        raise web.HTTPNotFound(text="There is no account with that address.")
    return found


async def settings(request: web.Request) -> web.StreamResponse:
    """`/keap/settings?user=ADDRESS`: API Settings, where a key is made and shown once."""
    world, account = request.app[WORLD], _account(request)
    mine, admin = people.tenants(account), account.fields.get("admin", True)
    key, tenant = "", ""
    if request.method == "POST":
        form = await request.post()
        tenant, kind = str(form.get("tenant", "")), str(form.get("kind", ""))
        if tenant not in mine or kind not in ("pat", "sak") or (kind == "sak" and not admin):
            raise web.HTTPForbidden(text="You may not make this key.")
        with world.store.write():
            key = grants.make_key(world, account, tenant, kind)
    values = {"account": account, "tenants": mine, "admin": admin, "key": key, "app": tenant}
    return render(world, "keap_settings.html", **values)


async def sent(request: web.Request) -> web.StreamResponse:
    """`/keap/sent?user=ADDRESS[&app=xy123]`: what the person has sent, newest first."""
    world, account = request.app[WORLD], _account(request)
    tenant = request.query.get("app", "").strip().lower().removesuffix(people.HOST) or None
    rows = world.store.all(
        "SELECT created_at, to_address, data FROM keap_emails WHERE account_id = ?1 AND sent = 1"
        " AND (?2 IS NULL OR tenant = ?2) ORDER BY id DESC LIMIT ?3",
        account.id,
        tenant,
        PAGE,
    )
    shown = [
        {"at": row["created_at"], "subject": json.loads(row["data"])["subject"], "people": row["to_address"]}
        for row in rows
    ]
    return render(world, "sent.html", address=account.email, rows=shown)


async def records(request: web.Request) -> web.StreamResponse:
    """`/keap/records?user=ADDRESS[&app=xy123]`: what was recorded in the app, sent elsewhere, newest first."""
    world, account = request.app[WORLD], _account(request)
    tenant = (
        request.query.get("app", "").strip().lower().removesuffix(people.HOST) or people.tenants(account)[0]
    )
    rows = [history.recorded(row) for row in history.records(world, tenant)[:PAGE]]
    shown = [
        {
            "at": row["created_at"],
            "subject": row["data"].get("subject"),
            "people": f"{row['to_address']}, from {row['data'].get('sent_from_address', 'nobody')}",
        }
        for row in rows
    ]
    return render(world, "keap_records.html", app=tenant, rows=shown)
