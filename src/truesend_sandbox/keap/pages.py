"""Keap as a person sees it in the browser: the mails sent, and nothing else."""

from __future__ import annotations

import json

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.keap import people
from truesend_sandbox.pages import render
from truesend_sandbox.world import WORLD

PAGE = 50


async def sent(request: web.Request) -> web.StreamResponse:
    """`/keap/sent?user=ADDRESS[&app=xy123]`: what the person has sent, newest first; there is no sign-in here."""
    world = request.app[WORLD]
    account = accounts.find(world, people.PROVIDER, request.query.get("user", ""))
    if account is None:
        raise web.HTTPNotFound(text="There is no account with that address.")
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
