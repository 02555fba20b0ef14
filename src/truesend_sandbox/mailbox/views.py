"""Mailboxes as pages: a person reads, looks at pictures and clicks, as in a webmail."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from yarl import URL

from truesend_sandbox import accounts
from truesend_sandbox.accounts import normal_address
from truesend_sandbox.mailbox import content, messages, system
from truesend_sandbox.mailbox.headers import Mail, decoded
from truesend_sandbox.mailbox.lists import one_click_address
from truesend_sandbox.pages import render
from truesend_sandbox.store import Row
from truesend_sandbox.world import WORLD, World

PAGE = 50


def _mailboxes(world: World) -> list[Row]:
    """Addresses that have mail, the latest first."""
    return world.store.all("SELECT * FROM mailboxes ORDER BY latest DESC LIMIT 200")


async def overview(request: web.Request) -> web.StreamResponse:
    """What this is, who has an account, who has mail."""
    world = request.app[WORLD]
    wanted = request.query.get("address", "").strip()
    if wanted:
        try:
            raise web.HTTPSeeOther(URL(f"/mailbox/{normal_address(wanted)}"))
        except ValueError:
            pass
    return render(
        world,
        "overview.html",
        mailboxes=_mailboxes(world),
        accounts=accounts.everyone(world),
        titles={name: provider.title for name, provider in world.providers.items()},
        faults=world.faults.active(),
        now=world.clock.now(),
        offset=world.clock.offset,
        wrong=wanted,
    )


def _address(request: web.Request) -> str:
    try:
        return normal_address(request.match_info["address"])
    except ValueError:
        raise web.HTTPNotFound(text="That is no email address.") from None


async def mailbox(request: web.Request) -> web.StreamResponse:
    """The list; it loads itself again every few seconds."""
    world, address = request.app[WORLD], _address(request)
    before = request.query.get("before", "")
    rows = world.store.all(
        "SELECT a.id, a.sender, a.subject, a.at, a.provider, r.read_at FROM arrival_recipients r"
        " JOIN arrivals a ON a.id = r.arrival_id WHERE r.address = ? AND r.arrival_id < ?"
        " ORDER BY r.arrival_id DESC LIMIT ?",
        address,
        int(before) if before.isdecimal() and len(before) < 18 else 2**62,
        PAGE + 1,
    )
    unread = world.store.value("SELECT unread FROM mailboxes WHERE address = ?", address) or 0
    return render(
        world,
        "mailbox.html",
        address=address,
        rows=rows[:PAGE],
        more=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        later=bool(before),
        unread=unread,
    )


def find(request: web.Request) -> tuple[World, str, Row]:
    """The mailbox's address and the arrival in it, or a page that says there is none."""
    world, address = request.app[WORLD], _address(request)
    text = request.match_info["id"]
    row = None
    if text.isdecimal() and len(text) < 18:
        row = world.store.one(
            "SELECT a.* FROM arrival_recipients r JOIN arrivals a ON a.id = r.arrival_id"
            " WHERE r.address = ? AND r.arrival_id = ?",
            address,
            int(text),
        )
    if row is None:
        raise web.HTTPNotFound(text="There is no such message in this mailbox.")
    return world, address, row


def place(address: str, row: Row) -> str:
    """The address of the message's page."""
    return str(URL(f"/mailbox/{address}/{row['id']}"))


async def message(request: web.Request) -> web.StreamResponse:
    """The message; opening it loads its pictures."""
    world, address, row = find(request)
    with world.store.write():
        read = world.store.run(
            "UPDATE arrival_recipients SET read_at = ? WHERE address = ? AND arrival_id = ? AND read_at IS NULL",
            world.clock.now(),
            address,
            row["id"],
        )
        world.store.run("UPDATE mailboxes SET unread = unread - ? WHERE address = ?", read.rowcount, address)
    mail = Mail.parse(bytes(row["raw"]))
    shown = content.read(bytes(row["raw"]))
    base = place(address, row)
    is_system = row["provider"] == system.PROVIDER
    values: dict[str, Any] = {
        "address": address,
        "row": row,
        "base": base,
        "sender": decoded(mail.get("from") or row["sender"]),
        "to": messages.recipients(world, row["id"]),
        "content": shown,
        "one_click": bool(one_click_address(bytes(row["raw"]))),
        "unsubscribed": request.query.get("unsubscribed", ""),
        "pieces": [
            (piece, None if number is None else (piece if is_system else f"{base}/link/{number}"))
            for piece, number in content.pieces(shown.text or "")
        ],
    }
    return render(world, "message.html", **values)


async def body(request: web.Request) -> web.StreamResponse:
    """The mail's own HTML for the frame: no scripts, pictures only through the proxy."""
    _, address, row = find(request)
    shown = content.read(bytes(row["raw"]))
    base = place(address, row)
    is_system = row["provider"] == system.PROVIDER

    def link(number: int) -> str:
        return shown.links[number].url if is_system else f"{base}/link/{number}"

    def image(number: int) -> str:
        return f"/_proxy/{row['id']}/{number}?to={address}"

    origin = f"{request.scheme}://{request.host}"
    return web.Response(
        text='<!doctype html><meta charset="utf-8"><title>Message</title>'
        + content.shown(shown, link, image),
        content_type="text/html",
        headers={
            "Content-Security-Policy": (
                f"default-src 'none'; img-src {origin} data:; style-src 'unsafe-inline';"
                " sandbox allow-popups allow-popups-to-escape-sandbox"
            ),
            # The pictures are asked for each time the message is opened, as without a cache in between.
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )


async def source(request: web.Request) -> web.StreamResponse:
    """The message as it travelled."""
    _, _, row = find(request)
    return web.Response(
        body=bytes(row["raw"]),
        headers={"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"},
    )
