"""Reading a mailbox: one message, its MIME, listings, folders."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.microsoft import errors, grants, identity, mail_store
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.message_view import NAMES, View, resource
from truesend_sandbox.store import Row

CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#users('{user}')/{path}"
_EXPANDED = re.compile(
    r"singleValueExtendedProperties\s*\(\s*\$filter\s*=\s*(id eq '(?:[^']|'')*'(?:\s+or\s+id eq '(?:[^']|'')*')*)"
    r"\s*\)",
    re.IGNORECASE,
)
_ID = re.compile(r"id eq '((?:[^']|'')*)'", re.IGNORECASE)


def context(caller: Caller, path: str) -> str:
    """The address of the metadata that an answer follows."""
    return CONTEXT.format(user=identity.user(caller.call, caller.account)["id"], path=path)


def view_of(caller: Caller) -> View | web.Response:
    """How this request wants its messages; an answer when its `$select` or `$expand` names nothing known."""
    query, call = caller.call.request.query, caller.call
    select: tuple[str, ...] | None = None
    if query.get("$select"):
        select = tuple(name.strip() for name in query["$select"].split(",") if name.strip())
        strange = [name for name in select if name not in NAMES]
        if strange:
            message = f"Could not find a property named '{strange[0]}' on type 'microsoft.graph.message'."
            return errors.bad_request(call, message, "RequestBroker--ParseUri")
    wanted, files = "", False
    if query.get("$expand"):
        found = _EXPANDED.search(query["$expand"])
        wanted = found[1] if found else ""
        rest = _EXPANDED.sub("", query["$expand"]).replace(",", " ").split()
        files = rest == ["attachments"]
        if (rest and not files) or not (rest or wanted):
            message = f"Parsing OData Select and Expand failed: {query['$expand']}"
            return errors.bad_request(call, message, "RequestBroker--ParseUri")
    preferred = " ".join(call.request.headers.getall("Prefer", [])).lower()
    return View(
        immutable=caller.immutable,
        basic_only=caller.basic_only,
        select=select,
        expand=tuple(value.replace("''", "'") for value in _ID.findall(wanted)),
        with_attachments=files,
        headers_of_sent=call.switch("headers_of_sent"),
        text_body='outlook.body-content-type="text"' in preferred,
    )


def chosen(view: View, path: str) -> str:
    """The path inside a context, with what `$select` has chosen."""
    return path if view.select is None else path.replace("messages", f"messages({','.join(view.select)})", 1)


def find(caller: Caller) -> Row | None:
    """The message that the address names."""
    number = caller.call.request.match_info["id"]
    return mail_store.find(caller.world, caller.account.id, number, immutable=caller.immutable)


def kind(draft: str, other: str, nowhere: str | None = None) -> Callable[[Call], str]:
    """The operation by whether the message of the address is a draft, another one or (else `other`) in no folder."""

    def operation(call: Call) -> str:
        row = grants.access(call.world, identity.bearer(call))
        number = call.request.match_info["id"]
        is_draft = row and call.world.store.value(
            "SELECT draft FROM microsoft_messages WHERE account_id = ?1 AND (item = ?2 OR immutable = ?2)",
            row["account_id"],
            number,
        )
        if is_draft is None and nowhere is not None:
            return nowhere
        return draft if is_draft else other

    return operation


def applied(caller: Caller) -> dict[str, str]:
    """The header that says which wish about ids was followed."""
    return {"Preference-Applied": 'IdType="ImmutableId"'} if caller.immutable else {}


def answer(caller: Caller, row: Row, status: int = 200, *, path: str = "messages/$entity") -> web.Response:
    """One message as the answer."""
    view = view_of(caller)
    if isinstance(view, web.Response):
        return view
    body = {"@odata.context": context(caller, chosen(view, path)), **resource(row, view)}
    headers = applied(caller)
    if status == 201:
        place = f"https://graph.microsoft.com/v1.0/users/{caller.account.email}/messages/{body['id']}"
        headers["Location"] = place
    return errors.graph_answer(caller.call, body, status, headers)


def get(caller: Caller) -> web.StreamResponse:
    """`GET /me/messages/{id}`."""
    row = find(caller)
    return errors.item_not_found(caller.call) if row is None else answer(caller, row)


def value(caller: Caller) -> web.StreamResponse:
    """`GET /me/messages/{id}/$value`: the MIME."""
    row = find(caller)
    if row is None:
        return errors.item_not_found(caller.call)
    headers = errors.stamped(caller.call, {"Content-Type": "text/plain"})
    return web.Response(body=bytes(row["raw"]), headers=headers)
