"""What Graph pushes to the addresses of subscriptions: changes of an inbox, and of the subscriptions themselves."""

from __future__ import annotations

import json
import uuid
from typing import Any

from truesend_sandbox import accounts, pushing
from truesend_sandbox.microsoft.moments import moment
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

_LIFECYCLE = ("reauthorizationRequired", "subscriptionRemoved", "missed")


def came(world: World, account_id: int, message_id: str) -> None:
    """A mail came into an inbox: told to whom it concerns, one notice each."""
    for row in _live(world, account_id):
        told = {
            "id": str(uuid.uuid4()),
            **_of(row),
            "changeType": "created",
            "resource": f"Users/{account_id}/Messages/{message_id}",
            "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "id": message_id},
        }
        _send(world, row, row["url"], told)


def _live(world: World, account_id: int) -> list[Row]:
    return world.store.all(
        "SELECT * FROM microsoft_subscriptions WHERE account_id = ? AND until > ?",
        account_id,
        world.clock.now(),
    )


def _of(row: Row) -> dict[str, Any]:
    return {
        "subscriptionId": row["id"],
        "subscriptionExpirationDateTime": moment(row["until"]),
        "clientState": row["state"],
        "tenantId": "00000000-0000-4000-8000-000000000001",
    }


def _send(world: World, row: Row, url: str, told: dict[str, Any]) -> None:
    account = accounts.by_id(world, row["account_id"])
    body = json.dumps({"value": [told]}).encode()
    email = None if account is None else account.email
    pushing.push(world, PROVIDER, email, url, body, {"Content-Type": "application/json; charset=utf-8"})


def lifecycle(world: World, email: str, event: str) -> int:
    """Tell a lifecycle event of every subscription of an account, and do what it tells of; how many there were."""
    if event not in _LIFECYCLE:
        raise ValueError(f"event must be one of {', '.join(_LIFECYCLE)}")
    account = accounts.find(world, PROVIDER, email)
    rows = [] if account is None else _live(world, account.id)
    for row in rows:
        if event == "subscriptionRemoved":
            world.store.run("DELETE FROM microsoft_subscriptions WHERE id = ?", row["id"])
        if row["lifecycle_url"]:
            _send(world, row, row["lifecycle_url"], {**_of(row), "lifecycleEvent": event})
    return len(rows)
