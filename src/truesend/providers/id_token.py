"""A provider's signed statement of who signed in (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from truesend import clock
from truesend.providers import http
from truesend.providers.errors import ProviderError

# What reading JSON of any shape as keys or claims can end in.
_MISREAD = (JoseError, ValueError, KeyError, TypeError, AttributeError)


def claims(id_token: str, *, keys_url: str, client_id: str, nonce: str, provider: str) -> dict[str, Any]:
    """The claims of a statement signed with one of the keys at ``keys_url`` for this client and this consent.

    Who issued it is left to the caller. ``provider`` is its name, for the words. Raises :class:`ProviderError`.
    """
    keys = signing_keys(keys_url, provider)
    try:
        found = dict(jwt.decode(id_token, keys, algorithms=["RS256"]).claims)
    except _MISREAD:
        raise ProviderError(
            "identity_unverified", f"{provider}'s statement of who signed in could not be verified."
        ) from None
    expiry = found.get("exp")
    if not (
        found.get("aud") == client_id
        and found.get("nonce") == nonce
        and isinstance(expiry, (int, float))
        and expiry > clock.now().timestamp() - 60
    ):
        raise for_another(provider)
    return found


def for_another(provider: str) -> ProviderError:
    """The error of a statement that is well signed and not for this consent."""
    return ProviderError(
        "identity_unverified", f"{provider}'s statement of who signed in is not for this consent."
    )


def is_address(value: object) -> bool:
    """Whether a claim is an address that can be stored and shown."""
    return isinstance(value, str) and "@" in value and value.isprintable() and len(value) <= 320


def signing_keys(url: str, provider: str) -> KeySet:
    """The keys at ``url``. Raises :class:`ProviderError`."""
    try:
        answer = http.request("GET", url, operation="jwks")
    except http.TransportError as error:
        raise ProviderError(error.cause, error.words) from None
    if answer.status >= 500 or answer.status == 429:
        raise ProviderError("provider_error", f"{answer.status} {answer.words()}".strip())
    body = answer.json()
    try:
        if answer.status != 200 or not isinstance(body, Mapping) or not body.get("keys"):
            raise ValueError("no keys")
        return KeySet.import_key_set(dict(body))  # type: ignore[arg-type]
    except _MISREAD:
        raise ProviderError(
            "provider_garbage", f"{answer.status} {provider}'s signing keys could not be read."
        ) from None
