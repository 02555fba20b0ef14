"""Consent, tokens and identity at Google.

OAuth 2.0 for Web Server Applications (2025-06): exact redirect URI, PKCE S256, ``access_type=offline`` with
``prompt=consent`` (otherwise a second consent brings no refresh token), scopes may be granted in part and come back
in another order and under aliases.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from truesend import clock, env
from truesend.providers import http
from truesend.providers.contract import Capability, Grant, Identity
from truesend.providers.errors import ProviderError
from truesend.providers.google.errors import oauth_error
from truesend.providers.oauth_session import OAuthSession, TokenAnswerError

SEND_SCOPE = "https://www.googleapis.com/auth/gmail.send"
READ_SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
# What allows what (Gmail API, "Choose scopes"): wider scopes that an earlier consent may have brought count too.
_ALLOWS: dict[Capability, frozenset[str]] = {
    Capability.SEND: frozenset(
        {
            SEND_SCOPE,
            "https://mail.google.com/",
            "https://www.googleapis.com/auth/gmail.modify",
            "https://www.googleapis.com/auth/gmail.compose",
        }
    ),
    Capability.READ: frozenset(
        {READ_SCOPE, "https://mail.google.com/", "https://www.googleapis.com/auth/gmail.modify"}
    ),
}
_ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})


def scopes(capabilities: Iterable[Capability]) -> list[str]:
    """The sending scope first; reading is a second, restricted step."""
    asked = ["openid", "email", SEND_SCOPE]
    return [*asked, READ_SCOPE] if Capability.READ in set(capabilities) else asked


def granted(held: Iterable[str]) -> set[Capability]:
    """The capabilities that ``held`` scopes allow."""
    have = set(held)
    return {capability for capability, enough in _ALLOWS.items() if have & enough}


def _session(redirect_uri: str | None = None, asked: list[str] | None = None) -> OAuthSession:
    client_id, secret = env.get("GOOGLE_CLIENT_ID"), env.get("GOOGLE_CLIENT_SECRET")
    if client_id is None or secret is None:
        raise ProviderError("client_missing", "")
    return OAuthSession(
        client_id=client_id,
        client_secret=secret,
        redirect_uri=redirect_uri,
        scope=asked,
    )


def authorize_url(
    *,
    capabilities: Iterable[Capability],
    redirect_uri: str,
    state: str,
    nonce: str,
    verifier: str,
    account: str | None,
) -> str:
    """Google's consent page for this client, with everything bound to this one consent."""
    extra = {"login_hint": account} if account else {}
    with _session(redirect_uri, scopes(capabilities)) as session:
        return session.consent_url(
            env.require("GOOGLE_AUTHORIZE_URL"),
            state=state,
            verifier=verifier,
            nonce=nonce,
            access_type="offline",
            include_granted_scopes="true",
            prompt="consent" if account else "select_account consent",
            **extra,
        )


def exchange(*, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
    """Code → grant, with the identity out of a verified id_token."""
    with _session(redirect_uri) as session:
        try:
            token = session.exchange(env.require("GOOGLE_TOKEN_URL"), code=code, verifier=verifier)
        except TokenAnswerError as error:
            raise oauth_error(error.body, error.status, error.words) from None
    grant = _grant(token, None)
    return dataclasses.replace(grant, identity=_verified_identity(str(token.get("id_token") or ""), nonce))


def refresh(refresh_token: str) -> Grant:
    """A new access token; Google keeps the refresh token (a client must cope with a new one)."""
    with _session() as session:
        try:
            token = session.renew(env.require("GOOGLE_TOKEN_URL"), refresh_token)
        except TokenAnswerError as error:
            raise oauth_error(error.body, error.status, error.words) from None
    return _grant(token, None)


def revoke(token: str) -> None:
    """End the whole grant. 400 ``invalid_token`` means that it had ended already."""
    try:
        answer = http.request(
            "POST",
            env.require("GOOGLE_REVOKE_URL"),
            operation="revoke",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=http.form({"token": token}),
        )
    except http.TransportError as error:
        raise ProviderError(error.cause, error.words) from None
    body = answer.json()
    ended = isinstance(body, Mapping) and str(body.get("error")) in {"invalid_token", "invalid_grant"}
    if answer.status != 200 and not ended:
        raise oauth_error(body, answer.status, answer.words())


# A lifetime beyond this is no lifetime of an access token; it would also not fit into a date.
_LONGEST_LIFETIME = 30 * 24 * 3600


def _grant(token: Mapping[str, Any], identity: Identity | None) -> Grant:
    access, lifetime = token.get("access_token"), token.get("expires_in", 3600)
    if not _is_visible(access):
        raise ProviderError("provider_garbage", "The token answer holds no access token.")
    try:
        expires_in = int(lifetime)
    except (TypeError, ValueError, OverflowError):
        raise ProviderError("provider_garbage", "The token answer names no lifetime.") from None
    refresh_token = token.get("refresh_token")
    scope = token.get("scope")
    return Grant(
        access_token=str(access),
        expires_in=min(max(1, expires_in), _LONGEST_LIFETIME),
        refresh_token=str(refresh_token) if _is_visible(refresh_token) else None,
        scopes=frozenset(one for one in scope.split() if _is_visible(one) and len(one) <= 200)
        if isinstance(scope, str)
        else frozenset(),
        identity=identity,
        refresh_expires_in=_seconds(token.get("refresh_token_expires_in")),
    )


def _seconds(value: object) -> int | None:
    """A time that the provider names, where it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else None


def _is_visible(value: object) -> bool:
    """Text that can stand in a header: tokens and scopes are visible ASCII (RFC 6749, appendix A)."""
    return isinstance(value, str) and value != "" and all("!" <= c <= "~" for c in value)


def _signing_keys() -> KeySet:
    try:
        answer = http.request("GET", env.require("GOOGLE_JWKS_URL"), operation="jwks")
    except http.TransportError as error:
        raise ProviderError(error.cause, error.words) from None
    if answer.status >= 500 or answer.status == 429:
        raise ProviderError("provider_error", f"{answer.status} {answer.words()}".strip())
    body = answer.json()
    try:
        if answer.status != 200 or not isinstance(body, Mapping) or not body.get("keys"):
            raise ValueError("no keys")
        return KeySet.import_key_set(dict(body))  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise ProviderError(
            "provider_garbage", f"{answer.status} Google's signing keys could not be read."
        ) from None


def _verified_identity(id_token: str, nonce: str) -> Identity:
    """Claims of an id_token signed by Google for this client and this consent (OpenID Connect Core 3.1.3.7)."""
    keys = _signing_keys()
    try:
        claims = jwt.decode(id_token, keys, algorithms=["RS256"]).claims
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise ProviderError(
            "identity_unverified", "Google's statement of who signed in could not be verified."
        ) from None
    now = clock.now().timestamp()
    expiry = claims.get("exp")
    sound = (
        claims.get("iss") in _ISSUERS
        and claims.get("aud") == env.require("GOOGLE_CLIENT_ID")
        and claims.get("nonce") == nonce
        and isinstance(expiry, (int, float))
        and expiry > now - 60
    )
    subject, address = claims.get("sub"), claims.get("email")
    if not sound or not isinstance(subject, str) or not re.fullmatch(r"[!-~]{1,255}", subject):
        raise ProviderError(
            "identity_unverified", "Google's statement of who signed in is not for this consent."
        )
    if not isinstance(address, str) or "@" not in address or not address.isprintable() or len(address) > 320:
        raise ProviderError("identity_without_address", "Google did not tell the address of the account.")
    return Identity(subject, address.lower(), http.redact(str(claims.get("name") or "")))
