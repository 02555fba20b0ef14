"""What every API call goes through first: token or key, limits, the app's admin (keap.md §1, §2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.keap import errors, grants, limits, people
from truesend_sandbox.keap.limits import Holder
from truesend_sandbox.store import Row
from truesend_sandbox.world import World


@dataclass(frozen=True)
class Caller:
    """A call that may go on: whose, in which app."""

    call: Call
    account: Account
    holder: Holder

    @property
    def world(self) -> World:
        return self.call.world

    @property
    def tenant(self) -> str:
        return self.holder.tenant

    @property
    def path(self) -> str:
        return self.call.request.path

    def error(self, status: int, message: str, resource: str | None = None) -> web.Response:
        """An error in the shape of the API that was called."""
        return errors.api_error(self.path, status, message, resource=resource)


Handler = Callable[[Caller], web.StreamResponse]


def credential(call: Call) -> str | None:
    """The token or key of the request; None without one."""
    headers = call.request.headers
    if "X-Keap-API-Key" in headers:
        return headers["X-Keap-API-Key"].strip()
    header = headers.get("Authorization", "")
    if header[:7].lower() == "bearer ":
        return header[7:].strip()
    if "/rest/v1/" in call.request.path:
        return call.request.query.get("access_token")
    return None


def _holder_of(call: Call, text: str | None) -> tuple[Row, Holder] | None:
    """The pair or key, alive or not, and what it is counted under."""
    if not text:
        return None
    key = grants.find_key(call.world, text)
    if key is not None:
        return key, Holder("key", key["key"], key["tenant"])
    pair = grants.by_access(call.world, text)
    if pair is not None:
        return pair, Holder("client", pair["client_id"], pair["tenant"])
    return None


def holder(call: Call) -> Holder | None:
    """What the call is counted under, whether or not its token still works."""
    found = _holder_of(call, credential(call))
    return None if found is None else found[1]


def identify(call: Call) -> str | None:
    """Whose token or key came; also when it has died, so that faults and calls name the account."""
    found = _holder_of(call, credential(call))
    account = None if found is None else accounts.by_id(call.world, found[0]["account_id"])
    return account.email if account else None


def _authenticate(call: Call) -> tuple[Account, Holder] | web.Response:
    text = credential(call)
    if not text:
        return errors.no_token()
    found = _holder_of(call, text)
    if found is None:
        return errors.unknown_token()
    row, held = found
    now = call.now
    if held.kind == "key":
        days = call.switch("key_lifetime")
        ended = row["dead_at"] is not None and row["dead_at"] <= now
        if ended or (days and row["at"] + days * limits.DAY <= now):
            return errors.revoked_token(call)
    elif row["access_dead_at"] is not None and row["access_dead_at"] <= now:
        return errors.revoked_token(call)
    elif row["access_expires_at"] <= now:
        return errors.expired_token(call)
    account = accounts.by_id(call.world, row["account_id"])
    if account is None or not people.may_use(call.world, held.tenant, account):
        return errors.revoked_token(call)
    return account, held


def admin_block(path: str) -> web.Response:
    """403 of an app whose admin has shut the application out; the words are ours."""
    return errors.api_error(path, 403, "An administrator has turned off this application's access.")


def guarded(handler: Handler) -> Callable[[Call], web.StreamResponse]:
    """The handler behind the checks every call meets; its answer gets the headers every answer has."""

    def handle(call: Call) -> web.StreamResponse:
        admitted = _authenticate(call)
        if isinstance(admitted, web.Response):
            return limits.stamp(call, admitted, None)
        account, held = admitted
        response: web.StreamResponse | None = limits.count(call, held)
        if response is None:
            spared = call.operation == "userinfo" and call.switch("admin_block_spares_userinfo")
            if account.fields.get("admin_block") and not spared:
                response = admin_block(call.request.path)
            else:
                response = handler(Caller(call, account, held))
        assert isinstance(response, web.Response)
        return limits.stamp(call, response, held)

    return handle


def nothing_there(caller: Caller) -> web.StreamResponse:
    """404 for an address the API does not have."""
    return caller.error(404, "Not Found")


def json_body(caller: Caller) -> dict[str, Any] | web.Response:
    """The request's JSON object, or Keap's answer to something else."""
    try:
        body = json.loads(caller.call.body)
    except (UnicodeDecodeError, ValueError):
        return caller.error(400, "Malformed JSON in request body")
    if b"\\ud" in caller.call.body.lower():
        # Half a surrogate pair is JSON and no text.
        try:
            json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return caller.error(400, "Malformed text in request body")
    if not isinstance(body, dict):
        return caller.error(400, "The request body must be a JSON object")
    return body
