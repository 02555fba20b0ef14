"""Who the caller is, and who the users of the app are, in both APIs [SPEC]."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import Account
from truesend_sandbox.keap import lists, people
from truesend_sandbox.keap.errors import json_answer
from truesend_sandbox.keap.gateway import Caller
from truesend_sandbox.keap.times import v1_time, v2_time
from truesend_sandbox.store import Row


def userinfo_v1(caller: Caller) -> web.StreamResponse:
    """`GET /v1/oauth/connect/userinfo`."""
    given, family = people.names(caller.account)
    return json_answer(
        {
            "email": caller.account.email,
            "family_name": family,
            "given_name": given,
            "global_user_id": people.global_user_id(caller.account),
            "infusionsoft_id": caller.account.email,
            "is_admin": caller.account.fields.get("admin", True),
            "preferred_name": given,
            "sub": caller.account.sub,
        }
    )


def userinfo_v2(caller: Caller) -> web.StreamResponse:
    """`GET /v2/oauth/connect/userinfo`."""
    given, family = people.names(caller.account)
    return json_answer(
        {
            "email": caller.account.email,
            "sub": caller.account.sub,
            "id": str(people.global_user_id(caller.account)),
            "keap_id": caller.account.email,
            "family_name": family,
            "given_name": given,
            "preferred_name": given,
            "is_admin": caller.account.fields.get("admin", True),
            "tenant_id": caller.tenant,
        }
    )


def _is_active(row: Row, account: Account) -> bool:
    return bool(row["active"]) and not account.fields.get("disabled")


def _v1(row: Row, account: Account) -> dict[str, Any]:
    given, family = people.names(account)
    return {
        "id": row["id"],
        "global_user_id": people.global_user_id(account),
        "infusionsoft_id": account.email,
        "email_address": account.email,
        "given_name": given,
        "family_name": family,
        "preferred_name": given,
        "status": "Active" if _is_active(row, account) else "Inactive",
        "partner": False,
        "date_created": v1_time(row["at"]),
        "last_updated": v1_time(row["at"]),
    }


def _v2(row: Row, account: Account) -> dict[str, Any]:
    given, family = people.names(account)
    return {
        "id": str(row["id"]),
        "global_user_id": str(people.global_user_id(account)),
        "keap_id": account.email,
        "given_name": given,
        "family_name": family,
        "email_addresses": [{"email": account.email, "field": "EMAIL1"}],
        "status": "ACTIVE" if _is_active(row, account) else "INACTIVE",
        "admin": account.fields.get("admin", True),
        "partner": False,
        "create_time": v2_time(row["at"]),
        "update_time": v2_time(row["at"]),
    }


def users_v1(caller: Caller) -> web.StreamResponse:
    """`GET /v1/users?include_inactive&limit&offset`."""
    window = lists.window_v1(caller)
    if isinstance(window, web.Response):
        return window
    everybody = caller.call.request.query.get("include_inactive", "true") != "false"
    found = [
        _v1(row, account)
        for row, account in people.users(caller.world, caller.tenant)
        if everybody or _is_active(row, account)
    ]
    return lists.page_v1(caller, "users", found[window.start : window.end], len(found), window)


_ORDER = {"create_time": "id", "email": "email", "name": "family_name"}


def users_v2(caller: Caller) -> web.StreamResponse:
    """`GET /v2/users` with filters `email, given_name, include_inactive, include_partners, user_ids`."""
    wanted = lists.filters(
        caller, ("email", "given_name", "include_inactive", "include_partners", "user_ids")
    )
    if isinstance(wanted, web.Response):
        return wanted
    page = lists.window_v2(caller, most=100, least=1)
    if isinstance(page, web.Response):
        return page
    order = lists.order(caller, tuple(_ORDER))
    if isinstance(order, web.Response):
        return order
    numbers = lists.several(wanted.get("user_ids"))
    found = []
    for row, account in people.users(caller.world, caller.tenant):
        given, _ = people.names(account)
        if not _is_active(row, account) and wanted.get("include_inactive", "true") == "false":
            continue
        if numbers is not None and str(row["id"]) not in numbers:
            continue
        if lists.matches(wanted.get("email"), account.email) and lists.matches(
            wanted.get("given_name"), given
        ):
            found.append((row, account))
    if order is not None:
        name, downwards = order
        found.sort(
            key=lambda pair: (
                pair[1].email if name == "email" else people.names(pair[1])[1] if name == "name" else "",
                pair[0]["id"],
            ),
            reverse=downwards,
        )
    users = [_v2(row, account) for row, account in found[page.start : page.end]]
    return lists.page_v2(caller, "users", users, page, more=len(found) > page.end)


def user_v2(caller: Caller) -> web.StreamResponse:
    """`GET /v2/users/{user_id}`."""
    number = caller.call.request.match_info["id"]
    for row, account in people.users(caller.world, caller.tenant):
        if str(row["id"]) == number:
            return json_answer(_v2(row, account))
    return caller.error(404, "User not found", "user")
