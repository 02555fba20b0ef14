"""Gmail as a person sees it in the browser: Sent, and nothing else."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.pages import render
from truesend_sandbox.world import WORLD

PAGE = 50


async def sent(request: web.Request) -> web.StreamResponse:
    """`/mail/?authuser=ADDRESS`: what lies in the account's Sent, newest first; there is no sign-in here."""
    world = request.app[WORLD]
    account = accounts.find(world, "google", request.query.get("authuser", ""))
    if account is None:
        raise web.HTTPNotFound(text="There is no account with that address.")
    rows = world.store.all(
        "SELECT m.at, m.raw FROM gmail_labels l JOIN gmail_messages m ON m.seq = l.seq"
        " WHERE l.account_id = ? AND l.label = 'SENT' ORDER BY l.seq DESC LIMIT ?",
        account.id,
        PAGE,
    )
    mails = [(row["at"], Mail.parse(bytes(row["raw"]))) for row in rows]
    shown = [
        {"at": at, "subject": mail.text("subject"), "people": ", ".join(mail.addresses("to", "cc", "bcc"))}
        for at, mail in mails
    ]
    return render(world, "sent.html", address=account.email, rows=shown)
