"""Keap's REST hooks (v1): it calls an address when a contact changes, says not what, and signs nothing.

Made with a handshake: the secret in its header is echoed. There is no event of a mail; a bounce or an opt-out changes a
contact's address, so a change of a contact is a hint to look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from truesend import clock
from truesend.providers.coming_in import Forged
from truesend.providers.contract import ProviderError
from truesend.providers.keap import api
from truesend.providers.shapes import PushCall, PushEvent, PushHold, PushNews

EVENT = "contact.edit"
_HANDSHAKE = "x-hook-secret"
# A hook has no end, but four failed calls make it inactive: it is looked at each day.
_LOOKED_AT = timedelta(days=2)


def hold(access_token: str, *, url: str, ref: str) -> PushHold:
    """A new hook, or the one that we hold, verified again where it is not. Raises `not_found` for one that is gone."""
    if ref:
        hook = _read(api.ask(api.get(f"/v1/hooks/{ref}", "hooks.get", access_token), access_token))
        if hook["status"] != "Verified":
            request = api.with_body("POST", f"/v1/hooks/{ref}/verify", "hooks.verify", access_token, {})
            hook = _read(api.ask(request, access_token))
    else:
        made = {"eventKey": EVENT, "hookUrl": url}
        request = api.with_body("POST", "/v1/hooks", "hooks.create", access_token, made)
        hook = _read(api.ask(request, access_token))
    if hook["status"] != "Verified":
        raise ProviderError(
            "provider_refused", f"The hook is {hook['status']}: our address did not echo its secret."
        )
    return PushHold(hook["key"], clock.now() + _LOOKED_AT)


def _read(body: Mapping[str, Any]) -> dict[str, str]:
    key, status = api.identifier(body.get("key")), api.text(body.get("status"))[:40]
    if not key:
        raise ProviderError("provider_garbage", "A hook without its key.")
    return {"key": key, "status": status}


def read(call: PushCall) -> PushNews:
    """A handshake, or that something changed."""
    secret = call.headers.get(_HANDSHAKE)
    if secret:
        if len(secret) > 500 or not secret.isprintable() or not secret.isascii():
            raise Forged
        return PushNews(echo="", echo_header=("X-Hook-Secret", secret))
    try:
        told = json.loads(call.body)
        good = isinstance(told["object_keys"], list) and isinstance(told["event_key"], str)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Forged from None
    if not good:
        raise Forged
    return PushNews((PushEvent(),))
