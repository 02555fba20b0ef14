"""Outlook as a person sees it in the browser: Sent Items, and nothing else."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.pages import render
from truesend_sandbox.world import WORLD

PAGE = 50


async def sent(request: web.Request) -> web.StreamResponse:
    """`/outlook/sentitems?login_hint=ADDRESS`: what lies there, newest first; there is no sign-in here."""
    world = request.app[WORLD]
    account = accounts.find(world, PROVIDER, request.query.get("login_hint", ""))
    if account is None:
        raise web.HTTPNotFound(text="There is no account with that address.")
    rows = world.store.all(
        "SELECT sent_at, raw FROM microsoft_messages WHERE account_id = ? AND folder = 'sentitems'"
        " AND visible_at <= ? ORDER BY sent_at DESC, seq DESC LIMIT ?",
        account.id,
        world.clock.now(),
        PAGE,
    )
    mails = [(row["sent_at"], Mail.parse(bytes(row["raw"]))) for row in rows]
    shown = [
        {"at": at, "subject": mail.text("subject"), "people": ", ".join(mail.addresses("to", "cc", "bcc"))}
        for at, mail in mails
    ]
    return render(world, "sent.html", address=account.email, rows=shown)
