"""`users.watch`: a mailbox's changes are told to a topic, and Pub/Sub pushes them on (Gmail guide, push; google.md §3).

The topic's push subscription is what an operator sets up at Google; here it is three switches: address, audience, and
the service account that signs.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from truesend_sandbox import accounts, pushing, signing
from truesend_sandbox.google import api, errors
from truesend_sandbox.google.api import Caller
from truesend_sandbox.world import World

_HISTORY = "SELECT COALESCE(MAX(id), 1000000) FROM gmail_history WHERE account_id = ?"


def watch(caller: Caller) -> web.StreamResponse:
    """Begins or renews it; one notice comes at once."""
    body = api.json_body(caller.call)
    if isinstance(body, web.Response):
        return body
    topic = body.get("topicName")
    if not isinstance(topic, str) or not topic.startswith("projects/sandbox/topics/"):
        return errors.bad_request("Invalid topicName does not match projects/sandbox/topics/*")
    until = caller.call.now + caller.call.switch("watch_lifetime")
    caller.world.store.run(
        "INSERT INTO gmail_watches (account_id, topic, until) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (account_id) DO UPDATE SET topic = ?2, until = ?3",
        caller.account.id,
        topic,
        until,
    )
    number = int(caller.world.store.value(_HISTORY, caller.account.id))
    _tell(caller.world, caller.account.id, number)
    return errors.json_answer({"historyId": str(number), "expiration": str(int(until * 1000))})


def stop(caller: Caller) -> web.StreamResponse:
    """Ends it."""
    caller.world.store.run("DELETE FROM gmail_watches WHERE account_id = ?", caller.account.id)
    return web.Response(status=204)


def changed(world: World, account_id: int, number: int) -> None:
    """A mailbox has changed: told where it is watched."""
    until = world.store.value("SELECT until FROM gmail_watches WHERE account_id = ?", account_id)
    if until is not None and until > world.clock.now():
        _tell(world, account_id, number)


def _tell(world: World, account_id: int, number: int) -> None:
    url = str(world.switches.get("google", "pubsub_endpoint"))
    account = accounts.by_id(world, account_id)
    if not url or account is None:
        return
    told = json.dumps({"emailAddress": account.email, "historyId": number}).encode()
    at = (
        datetime.fromtimestamp(world.clock.now(), UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
    message_id = str(secrets.randbelow(10**17))
    # Real deliveries carry both spellings, and the number as a number.
    message: dict[str, Any] = {
        "data": base64.b64encode(told).decode(),
        "messageId": message_id,
        "message_id": message_id,
        "publishTime": at,
        "publish_time": at,
    }
    body = json.dumps(
        {"message": message, "subscription": "projects/sandbox/subscriptions/truesend"}
    ).encode()
    token = signed(world, str(world.switches.get("google", "pubsub_audience")) or url)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    pushing.push(world, "google", account.email, url, body, headers)


def signed(world: World, audience: str) -> str:
    """The OIDC token of the push subscription's service account."""
    now = int(world.clock.now())
    service = str(world.switches.get("google", "pubsub_account"))
    claims = {
        "iss": "https://accounts.google.com",
        "aud": audience,
        "azp": "115000000000000000000",
        "sub": "115000000000000000000",
        "email": service,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    return signing.sign(world.store, "google", claims)
