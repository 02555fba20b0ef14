"""Consent, tokens and identity at Keap.

Getting Started with OAuth2 (developer portal): the only scope is ``full``, the member picks one of their apps (a
tenant) at Keap, and the token answer says which one behind a bar in ``scope``. No PKCE is documented. The two grants
show the client in two ways, and Keap wants each as it is documented: a code with id and secret in the body, a refresh
with HTTP Basic. Every refresh answers a new refresh token and ends the one before.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from truesend import env
from truesend.providers import clients, http, token_answer
from truesend.providers.contract import Capability, Grant, Identity
from truesend.providers.errors import ProviderError
from truesend.providers.keap import api, errors

SCOPE = "full"
_HOST = ".infusionsoft.com"
# "xy123", "hl214", or a name that an app was given.
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LONGEST_KEY = 500


def granted(held: Iterable[str]) -> set[Capability]:
    """Everything, or nothing: there is one scope."""
    whole = any(one.partition("|")[0] == SCOPE for one in held)
    return {Capability.SEND, Capability.READ, Capability.CONTACTS} if whole else set()


def authorize_url(*, redirect_uri: str, state: str) -> str:
    """Keap's consent page for this client. It knows no hint of whom to sign in."""
    asked = {
        "client_id": clients.require("keap").id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": SCOPE,
        "state": state,
    }
    address = env.require("KEAP_AUTHORIZE_URL")
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def exchange(*, code: str, redirect_uri: str) -> Grant:
    """Code → grant; whose it is says the token's scope (the app) with userinfo (the person)."""
    client = clients.require("keap")
    fields = {
        "grant_type": "authorization_code",
        "client_id": client.id,
        "client_secret": client.secret,
        "code": code,
        "redirect_uri": redirect_uri,
    }
    token = _token(fields, {})
    grant = token_answer.grant(token)
    who = identity(grant.access_token, tenant_of(token.get("scope")))
    return dataclasses.replace(grant, identity=who)


def refresh(refresh_token: str) -> Grant:
    """A new pair. The refresh token has served with the answer, and what is not stored then is lost."""
    client = clients.require("keap")
    basic = base64.b64encode(f"{client.id}:{client.secret}".encode()).decode()
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return token_answer.grant(_token(fields, {"Authorization": f"Basic {basic}"}))


def key_grant(key: str) -> Grant:
    """The grant that a key made in Keap's settings is; it lasts until somebody deletes it there."""
    secret = key.strip()
    if not api.is_key(secret) or not token_answer.is_visible(secret) or len(secret) > _LONGEST_KEY:
        raise ProviderError("key_malformed", "begins with KeapAK and has no spaces")
    who = identity(secret, "")
    tenant = who.subject.partition(":")[0]
    return Grant(
        access_token=secret,
        expires_in=0,
        refresh_token=None,
        scopes=frozenset({f"{SCOPE}|{tenant}{_HOST}"}),
        identity=who,
        lasting=True,
    )


def _token(fields: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, Any]:
    """A token endpoint's good answer to a form."""
    try:
        answer = http.request(
            "POST",
            env.require("KEAP_TOKEN_URL"),
            operation="token",
            headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
            body=http.form(fields),
        )
    except http.TransportError as error:
        raise ProviderError(error.cause, error.words) from None
    body = answer.json()
    if answer.status != 200 or not isinstance(body, Mapping) or "error" in body:
        raise errors.oauth_error(answer)
    return body


def tenant_of(scope: object) -> str:
    """The app in ``full|xy123.infusionsoft.com``; empty where none stands there."""
    return _tenant(scope.partition("|")[2].split(" ")[0]) if isinstance(scope, str) else ""


def _tenant(name: object) -> str:
    short = name.strip().lower().removesuffix(_HOST) if isinstance(name, str) else ""
    return short if _TENANT.fullmatch(short) else ""


def identity(secret: str, tenant: str) -> Identity:
    """Whose account a token or key is: the app and the person in it. ``tenant`` is what the token's scope said.

    One person may use several apps, which are different accounts: so the app stands in the subject.
    """
    who = api.ask(api.get("/v2/oauth/connect/userinfo", "userinfo", secret), secret)
    said = _tenant(who.get("tenant_id"))
    if (tenant and said and tenant != said) or not (tenant or said):
        raise ProviderError("identity_unverified", "Keap did not say clearly which of its apps this is.")
    user = api.identifier(who.get("id"))
    if not user:
        raise ProviderError("identity_unverified", "Keap did not say who signed in.")
    address = who.get("email")
    if not isinstance(address, str) or "@" not in address or not address.isprintable() or len(address) > 320:
        raise ProviderError("identity_without_address", "Keap did not tell the address of the account.")
    names = (api.text(who.get(part)) for part in ("given_name", "family_name"))
    name = " ".join(one for one in names if one)
    return Identity(f"{tenant or said}:{user}", address.strip().lower(), name)
