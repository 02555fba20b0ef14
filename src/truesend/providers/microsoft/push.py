"""Graph's change notifications for the Inbox ("Receive change notifications through webhooks").

At the beginning Graph asks both addresses to echo a token; each notification carries the secret that we gave
(``clientState``). Lifecycle notifications say that a subscription wants a new authorisation, was removed, or that some
were missed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from truesend import clock
from truesend.providers.coming_in import Forged
from truesend.providers.contract import ProviderError, Request
from truesend.providers.microsoft import calls, graph
from truesend.providers.shapes import PushCall, PushEvent, PushHold, PushNews

# Under seven days (subscription resource, "Maximum length": 10,080 minutes for messages).
_LIFE = timedelta(days=6)
_MOST = 1000
_RENEW = frozenset({"reauthorizationRequired", "subscriptionRemoved"})


def create_request(url: str, secret: str, until: datetime, access_token: str, base: str) -> Request:
    """``POST /subscriptions``; the address for lifecycle notifications cannot be added later."""
    body = {
        "changeType": "created",
        "notificationUrl": url,
        "lifecycleNotificationUrl": url,
        "resource": "me/mailFolders('inbox')/messages",
        "expirationDateTime": _moment(until),
        "clientState": secret,
    }
    return _with_body("POST", f"{base}/subscriptions", "subscriptions.create", access_token, body)


def renew_request(ref: str, until: datetime, access_token: str, base: str) -> Request:
    """``PATCH /subscriptions/{id}``; that authorises it again as well."""
    url = f"{base}/subscriptions/{quote(ref, safe='')}"
    return _with_body(
        "PATCH", url, "subscriptions.renew", access_token, {"expirationDateTime": _moment(until)}
    )


def _with_body(method: str, url: str, operation: str, access_token: str, body: object) -> Request:
    headers = {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"}
    return Request(method, url, operation, headers, json.dumps(body).encode())


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def hold(access_token: str, *, url: str, secret: str, ref: str, base: str) -> PushHold:
    """A new subscription, or the one that we hold for longer."""
    until = clock.now() + _LIFE
    if ref:
        body = calls.ask(renew_request(ref, until, access_token, base))
    else:
        body = calls.ask(create_request(url, secret, until, access_token, base), status=201)
    return _held(body)


def _held(body: Any) -> PushHold:
    number, end = (
        (body.get("id"), body.get("expirationDateTime")) if isinstance(body, Mapping) else (None, None)
    )
    try:
        until = datetime.fromisoformat(str(end)).astimezone(UTC)
    except (ValueError, OverflowError):
        until = None
    if not graph.is_id(number) or until is None:
        raise ProviderError("provider_garbage", "A subscription without its number and end.")
    return PushHold(str(number), until)


def read(call: PushCall) -> PushNews:
    """A handshake, or the subscriptions that are told of."""
    token = call.query.get("validationToken")
    if token is not None:
        if len(token) > _MOST or not token.isprintable():
            raise Forged
        return PushNews(echo=token)
    try:
        listed = json.loads(call.body)["value"]
        events = tuple(_event(one) for one in listed[:_MOST])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Forged from None
    if not events:
        raise Forged
    return PushNews(events)


def _event(one: Mapping[str, Any]) -> PushEvent:
    return PushEvent(
        ref=str(one["subscriptionId"]),
        secret=str(one.get("clientState") or ""),
        renew=one.get("lifecycleEvent") in _RENEW,
    )
