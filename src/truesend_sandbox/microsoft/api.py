"""What every Graph call goes through first: token, permission, mailbox, limits."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.microsoft import errors, grants, identity
from truesend_sandbox.microsoft.scopes import ACCEPTED
from truesend_sandbox.world import World


@dataclass(frozen=True)
class Caller:
    """A call that may go on: whose mailbox, by which permissions."""

    call: Call
    account: Account
    scopes: frozenset[str]

    @property
    def world(self) -> World:
        return self.call.world

    @property
    def basic_only(self) -> bool:
        """Whether nothing better than Mail.ReadBasic lets this call read."""
        return not {"Mail.Read", "Mail.ReadWrite"} & self.scopes

    @property
    def immutable(self) -> bool:
        """Whether ids of this answer are to be those that survive a move (`Prefer: IdType="ImmutableId"`)."""
        wanted = ",".join(self.call.request.headers.getall("Prefer", [])).replace(" ", "").lower()
        return 'idtype="immutableid"' in wanted or "idtype=immutableid" in wanted


Handler = Callable[[Caller], web.StreamResponse]


def guarded(handler: Handler, operation: str | None = None) -> Callable[[Call], web.StreamResponse]:
    """The handler behind the checks of that operation, or of the one the call has been found to be."""

    def handle(call: Call) -> web.StreamResponse:
        admitted = admit(call, operation or call.operation)
        return handler(admitted) if isinstance(admitted, Caller) else admitted

    return handle


def admit(call: Call, operation: str) -> Caller | web.Response:
    """The caller, or the error it gets: 401, 403, then the mailbox's own reasons."""
    token = identity.bearer(call)
    if not token:
        return errors.unauthenticated(call, "Access token is empty.")
    row = grants.access(call.world, token)
    account = None if row is None else accounts.by_id(call.world, row["account_id"])
    if row is None or account is None or account.provider != "microsoft":
        return errors.unauthenticated(call, "CompactToken parsing failed with error code: 80049217")
    if grants.is_over(row, call.now):
        return errors.unauthenticated(call, call.switch("expired_token_text"))
    scopes = frozenset(row["scopes"].split())
    if not scopes & ACCEPTED[operation]:
        if operation == "me":
            message = "Insufficient privileges to complete the operation."
            return errors.graph_error(call, 403, "Authorization_RequestDenied", message)
        message = "Access is denied. Check credentials and try again."
        return errors.graph_error(call, 403, "ErrorAccessDenied", message)
    if account.fields.get("deleted"):
        if operation == "me":
            message = (
                "Resource does not exist or one of its queried reference-property objects are not present."
            )
            return errors.graph_error(call, 404, "Request_ResourceNotFound", message)
        return errors.graph_error(call, 404, "ErrorInvalidUser", "The requested user is invalid.")
    if operation != "me" and not account.fields.get("mailbox_enabled", True):
        message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        status = call.switch("mailbox_missing_status")
        return errors.graph_error(call, status, "MailboxNotEnabledForRESTAPI", message)
    over = None if operation == "me" else _limit(call, account)
    return over if over is not None else Caller(call, account, scopes)


def _limit(call: Call, account: Account) -> web.Response | None:
    """The requests of a mailbox in ten minutes, where the switch sets a limit."""
    limit = call.switch("requests_per_10_minutes")
    if not limit:
        return None
    spent = call.world.spent.setdefault(f"microsoft:{account.email}", deque())
    while spent and spent[0][0] <= call.now - 600:
        spent.popleft()
    # A throttled call counts as well, so that who goes on asking waits longer.
    spent.append((call.now, 1))
    return None if len(spent) <= limit else errors.throttled(call, spent[0][0] + 600 - call.now)


def json_body(call: Call) -> dict[str, Any] | web.Response:
    """The request's JSON object, or Graph's answer to something else."""
    message = (
        "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid"
        " JSON format."
    )
    if not call.body.strip():
        return {}
    try:
        body = json.loads(call.body)
    except (UnicodeDecodeError, ValueError):
        return errors.bad_request(call, message)
    if not isinstance(body, dict):
        return errors.bad_request(call, message)
    return body


def too_large(call: Call) -> web.Response | None:
    """413 for a writing request above the limit."""
    if len(call.body) <= call.switch("request_limit"):
        return None
    return errors.graph_error(
        call,
        413,
        "RequestEntityTooLarge",
        "The request content was larger than the server is able to process.",
    )


def me(caller: Caller) -> web.StreamResponse:
    """`GET /v1.0/me`, with `$select`."""
    found = identity.user(caller.call, caller.account)
    selected = caller.call.request.query.get("$select", "")
    context = "https://graph.microsoft.com/v1.0/$metadata#users/$entity"
    if selected:
        names = [name.strip() for name in selected.split(",") if name.strip()]
        known = {name.lower(): name for name in found}
        context = f"https://graph.microsoft.com/v1.0/$metadata#users({','.join(names)})/$entity"
        found = {known[name.lower()]: found[known[name.lower()]] for name in names if name.lower() in known}
    return errors.graph_answer(caller.call, {"@odata.context": context, **found})
