"""Gmail's throwing away: into the bin, out of it, and for good."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox.google import errors, gmail_send, gmail_store
from truesend_sandbox.google.api import Caller
from truesend_sandbox.store import Row


def _wanted(caller: Caller) -> Row | None:
    return gmail_store.get(caller.world, caller.account.id, caller.call.request.match_info["id"])


def trash(caller: Caller) -> web.StreamResponse:
    """`messages.trash`: what was sent keeps SENT beside TRASH."""
    row = _wanted(caller)
    if row is None:
        return errors.not_found()
    row = gmail_store.relabel(caller.world, row, add_labels=("TRASH",), drop=("INBOX",))
    return errors.json_answer(gmail_send.brief(row))


def untrash(caller: Caller) -> web.StreamResponse:
    """`messages.untrash`."""
    row = _wanted(caller)
    if row is None:
        return errors.not_found()
    return errors.json_answer(gmail_send.brief(gmail_store.relabel(caller.world, row, drop=("TRASH",))))


def delete(caller: Caller) -> web.StreamResponse:
    """`messages.delete`: gone for good, at once."""
    row = _wanted(caller)
    if row is None:
        return errors.not_found()
    gmail_store.remove(caller.world, row)
    return web.Response(status=204)
