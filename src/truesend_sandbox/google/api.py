"""What every Gmail call goes through first: token, scope, whose mailbox, limits."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from truesend_sandbox import accounts
from truesend_sandbox.accounts import Account
from truesend_sandbox.door import Call
from truesend_sandbox.google import errors, grants, identity
from truesend_sandbox.google.scopes import ACCEPTED, METADATA
from truesend_sandbox.world import World

UNITS = {
    "send": 100,
    "drafts.send": 100,
    "watch": 100,
    "stop": 50,
    "messages.get": 20,
    "attachments.get": 20,
    "threads.get": 40,
    "messages.list": 5,
    "messages.trash": 20,
    "messages.untrash": 5,
    "messages.delete": 10,
    "threads.list": 10,
    "history.list": 2,
    "profile": 1,
    "labels.list": 1,
    "drafts.create": 10,
    "drafts.update": 15,
    "drafts.delete": 10,
    "drafts.list": 5,
    "drafts.get": 5,
    "sendAs.list": 1,
    "sendAs.get": 1,
}
"""Quota units per call, as of 2026-05-01 (developers.google.com/workspace/gmail/api/reference/quota)."""


@dataclass(frozen=True)
class Caller:
    """A call that may go on: whose mailbox, by which scopes."""

    call: Call
    account: Account
    scopes: frozenset[str]

    @property
    def world(self) -> World:
        return self.call.world

    @property
    def metadata_only(self) -> bool:
        """Whether nothing better than the metadata scope lets this call read."""
        return not (ACCEPTED[self.call.operation] - {METADATA}) & self.scopes


Handler = Callable[[Caller], web.StreamResponse]


def guarded(handler: Handler, operation: str) -> Callable[[Call], web.StreamResponse]:
    """The handler behind the checks every call of that operation meets."""

    def handle(call: Call) -> web.StreamResponse:
        admitted = admit(call, operation)
        return handler(admitted) if isinstance(admitted, Caller) else admitted

    return handle


def admit(call: Call, operation: str) -> Caller | web.Response:
    """The caller, or the error it gets: 401, 403, then the mailbox's own reasons."""
    world = call.world
    token = identity.bearer(call)
    if not token:
        return errors.unauthenticated("Login Required.", "required")
    row = grants.find_access(world, token)
    account = None if row is None else accounts.by_id(world, row["account_id"])
    if row is None or account is None or account.fields.get("deleted") or account.fields.get("disabled"):
        return errors.unauthenticated()
    scopes = frozenset(row["scopes"].split())
    if not scopes & ACCEPTED[operation]:
        return errors.insufficient_scopes()
    if account.fields.get("admin_block"):
        return errors.domain_policy()
    if call.switch("api_not_enabled"):
        return errors.api_error(
            403,
            "Gmail API has not been used in project 424242 before or it is disabled. Enable it by visiting"
            " https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=424242"
            " then retry.",
            "accessNotConfigured",
            domain="usageLimits",
        )
    user = unquote(call.request.match_info["user"]).lower()
    if user not in ("me", account.email):
        return errors.api_error(403, f"Delegation denied for {account.email}", "forbidden")
    if not account.fields.get("gmail", True):
        return errors.api_error(
            400, "Mail service not enabled", "failedPrecondition", name="FAILED_PRECONDITION"
        )
    over = _quota(call, account, operation)
    return over if over is not None else Caller(call, account, scopes)


_PROJECT = ""
"""The key under which the units of all accounts together are counted."""


def _quota(call: Call, account: Account, operation: str) -> web.Response | None:
    """The quotas of a minute, per user and for the whole project, where the switches set one."""
    now, units = call.now, UNITS[operation]
    used: list[deque[tuple[float, int]]] = []
    for key, switch, whose in (
        (account.email, "quota_units_per_user_minute", " per user"),
        (_PROJECT, "quota_units_per_project_minute", ""),
    ):
        limit = call.switch(switch)
        if not limit:
            continue
        spent = call.world.spent.setdefault(key, deque())
        while spent and spent[0][0] <= now - 60:
            spent.popleft()
        if sum(count for _, count in spent) + units > limit:
            message = (
                f"Quota exceeded for quota metric 'Queries' and limit 'Queries per minute{whose}' of service"
                " 'gmail.googleapis.com' for consumer 'project_number:424242'."
            )
            status = call.switch("rate_limit_status")
            return errors.api_error(
                status, message, "rateLimitExceeded", domain="usageLimits", name="RESOURCE_EXHAUSTED"
            )
        used.append(spent)
    for spent in used:
        spent.append((now, units))
    return None


def json_body(call: Call) -> dict[str, Any] | web.Response:
    """The request's JSON object, or Google's answer to something else."""
    if not call.body.strip():
        return {}
    try:
        body = json.loads(call.body)
    except (UnicodeDecodeError, ValueError):
        return errors.api_error(400, "Invalid JSON payload received. Parse error.", "parseError")
    if not isinstance(body, dict):
        return errors.api_error(400, "Invalid JSON payload received. Unknown name.", "parseError")
    return body
