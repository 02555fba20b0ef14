"""Consent, tokens and identity at Google.

OAuth 2.0 for Web Server Applications (2025-06): exact redirect URI, PKCE S256, ``access_type=offline`` with
``prompt=consent`` (otherwise a second consent brings no refresh token), scopes may be granted in part and come back
in another order and under aliases.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping

from truesend import env
from truesend.providers import clients, http, token_answer, token_call
from truesend.providers import id_token as id_tokens
from truesend.providers.contract import Capability, Grant, Identity
from truesend.providers.errors import ProviderError
from truesend.providers.google.errors import oauth_error
from truesend.providers.oauth_session import OAuthSession
from truesend.providers.token_call import TokenAnswerError

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


def _session(redirect_uri: str, asked: list[str] | None = None) -> OAuthSession:
    client = clients.require("google")
    return OAuthSession(
        client_id=client.id,
        client_secret=client.secret,
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
    grant = token_answer.grant(token)
    return dataclasses.replace(grant, identity=_verified_identity(str(token.get("id_token") or ""), nonce))


def refresh(refresh_token: str) -> Grant:
    """A new access token; Google keeps the refresh token (a client must cope with a new one)."""
    client = clients.require("google")
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": client.id,
        "client_secret": client.secret,
    }
    try:
        token = token_call.ask(env.require("GOOGLE_TOKEN_URL"), fields)
    except TokenAnswerError as error:
        raise oauth_error(error.body, error.status, error.words) from None
    return token_answer.grant(token)


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


def _verified_identity(id_token: str, nonce: str) -> Identity:
    """Claims of an id_token signed by Google for this client and this consent."""
    claims = id_tokens.claims(
        id_token,
        keys_url=env.require("GOOGLE_JWKS_URL"),
        client_id=clients.require("google").id,
        nonce=nonce,
        provider="Google",
    )
    subject, address = claims.get("sub"), claims.get("email")
    sound = isinstance(subject, str) and re.fullmatch(r"[!-~]{1,255}", subject)
    if claims.get("iss") not in _ISSUERS or not sound:
        raise id_tokens.for_another("Google")
    if not id_tokens.is_address(address):
        raise ProviderError("identity_without_address", "Google did not tell the address of the account.")
    return Identity(str(subject), str(address).lower(), http.redact(str(claims.get("name") or "")))
