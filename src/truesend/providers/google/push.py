"""Gmail tells a Pub/Sub topic of changes, and the topic's push subscription calls us (Gmail guide, "Push").

A call carries an OIDC token of the subscription's service account (Pub/Sub guide, "Authenticate push subscriptions"):
it is believed only if Google signed it, for our audience, for that account.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from truesend import clock, env
from truesend.providers import id_token
from truesend.providers.coming_in import Forged
from truesend.providers.contract import ProviderError, Request
from truesend.providers.google.calls import ask
from truesend.providers.shapes import PushCall, PushEvent, PushHold, PushNews

_ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
_MISREAD = (JoseError, ValueError, KeyError, TypeError, AttributeError)
# Google's keys change within days; a token of an unknown one is a reason to ask again, but not at every call.
_KEYS_FOR, _ASKED_AGAIN_AFTER = 3600.0, 60.0


def unset() -> str:
    """What is missing to pushes, as a sentence."""
    missing = [one for one in ("GOOGLE_PUBSUB_TOPIC", "GOOGLE_PUBSUB_ACCOUNT") if not env.get(one)]
    return f"{' and '.join(f'TRUESEND_{one}' for one in missing)} not set." if missing else ""


def audience() -> str:
    """What the token has to be for."""
    return env.get("GOOGLE_PUBSUB_AUDIENCE") or f"{env.public_url()}/webhooks/google"


def watch_request(access_token: str, base: str) -> Request:
    """``users.watch`` of the inbox (100 units); renews one that there is."""
    headers = {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"}
    body = {
        "topicName": env.require("GOOGLE_PUBSUB_TOPIC"),
        "labelIds": ["INBOX"],
        "labelFilterBehavior": "INCLUDE",
    }
    return Request("POST", f"{base}/gmail/v1/users/me/watch", "watch", headers, json.dumps(body).encode())


def hold(access_token: str, base: str) -> PushHold:
    """Begin or renew it, for seven days at most."""
    body = ask(watch_request(access_token, base))
    try:
        until = datetime.fromtimestamp(int(str(body["expiration"])) / 1000, UTC)
    except (*_MISREAD, OverflowError, OSError):
        raise ProviderError("provider_garbage", "A watch without its end.") from None
    return PushHold("", until)


def read(call: PushCall) -> PushNews:
    """The mailbox that a push tells of."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Forged
    _check(token.strip())
    try:
        message = json.loads(call.body)["message"]
        data = str(message["data"]).replace("-", "+").replace("_", "/")
        told = json.loads(base64.b64decode(data + "=" * (-len(data) % 4)))
        address = told["emailAddress"]
    except (*_MISREAD, binascii.Error, RecursionError):
        raise Forged from None
    if not id_token.is_address(address):
        raise Forged
    return PushNews((PushEvent(address=str(address)),))


def _check(token: str) -> None:
    claims = _claims(token)
    expiry = claims.get("exp")
    good = (
        claims.get("iss") in _ISSUERS
        and claims.get("aud") == audience()
        and claims.get("email") == env.get("GOOGLE_PUBSUB_ACCOUNT")
        and bool(claims.get("email"))
        and claims.get("email_verified") is True
        and isinstance(expiry, (int, float))
        and expiry > clock.now().timestamp() - 60
    )
    if not good:
        raise Forged


def _claims(token: str) -> Mapping[str, object]:
    for fresh in (False, True):
        keys = _keys.get(fresh=fresh)
        if keys is None:
            continue
        try:
            return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)
        except _MISREAD:
            continue
    raise Forged


class _Keys:
    """Google's signing keys, kept for an hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._at = float("-inf")

    def get(self, *, fresh: bool) -> KeySet | None:
        """The keys; ``fresh``: newer ones than those kept, None where they were asked for a moment ago."""
        with self._lock:
            age = time.monotonic() - self._at
            if fresh and age < _ASKED_AGAIN_AFTER:
                return None
            if self._keys is None or fresh or age > _KEYS_FOR:
                self._keys = id_token.signing_keys(env.require("GOOGLE_JWKS_URL"), "Google")
                self._at = time.monotonic()
            return self._keys


_keys = _Keys()
