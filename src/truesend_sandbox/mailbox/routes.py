"""Addresses of the mailbox pages."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox.mailbox import leaving, through, views


def routes() -> list[web.RouteDef]:
    """The addresses of the recipients' mailboxes."""
    one = "/mailbox/{address}/{id}"
    return [
        web.get("/", views.overview),
        web.get("/mailbox/{address}", views.mailbox),
        web.get(one, views.message),
        web.get(f"{one}/body", views.body),
        web.get(f"{one}/source", views.source),
        web.post(f"{one}/unsubscribe", leaving.unsubscribe),
        web.get(f"{one}/link/{{number:\\d{{1,6}}}}", through.click),
        web.get("/_proxy/{id}/{number:\\d{1,6}}", through.proxy),
    ]
