"""Consent and tokens at the Microsoft identity platform, v2.0.

Authorization code with PKCE and a client secret ("auth-code-flow"). ``{tenant}`` of an endpoint is the setting
``MICROSOFT_TENANT``: who may sign in. There is no endpoint that ends a grant. A renewal brings a new refresh token and
leaves the old one working ("refresh-tokens": "not revoked when used"), so a renewal may be made at any time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlencode

from truesend import env
from truesend.providers import clients, token_answer, token_call
from truesend.providers.contract import Capability, Grant
from truesend.providers.errors import ProviderError
from truesend.providers.microsoft import identity
from truesend.providers.microsoft.errors import oauth_error
from truesend.providers.oauth_session import OAuthSession
from truesend.providers.token_call import TokenAnswerError

_RESOURCE = "https://graph.microsoft.com/"
SEND_SCOPE = f"{_RESOURCE}Mail.Send"
READ_SCOPE = f"{_RESOURCE}Mail.ReadWrite"
# `offline_access` brings the refresh token; `User.Read` tells the address.
_SIGN_IN = ("openid", "profile", "email", "offline_access", f"{_RESOURCE}User.Read")
# Reading needs the right to write too: a mail is sent from a draft, so that it can be looked up.
_ALLOWS = {Capability.SEND: "mail.send", Capability.READ: "mail.readwrite"}
# Words for directories that nobody administers, or not one of them.
_NO_DIRECTORY = frozenset({"common", "organizations"})
_PERSONAL_ONLY = "consumers"


def scopes(capabilities: Iterable[Capability]) -> list[str]:
    """Signing in and sending; reading is a second step, by Microsoft's default policy an administrator's."""
    asked = [*_SIGN_IN, SEND_SCOPE]
    return [*asked, READ_SCOPE] if Capability.READ in set(capabilities) else asked


def granted(held: Iterable[str]) -> set[Capability]:
    """The capabilities that ``held`` scopes allow, in their long form or their short one.

    Of what else comes (earlier grants) and of what does not (``offline_access``) nothing is concluded.
    """
    have = {one.lower().removeprefix(_RESOURCE) for one in held}
    return {capability for capability, enough in _ALLOWS.items() if enough in have}


def tenant() -> str:
    """The directory whose people may sign in, or `common`, `organizations`, `consumers`. It goes with the client."""
    held = clients.client("microsoft")
    return (held.extra.get("TENANT") if held is not None else None) or env.require("MICROSOFT_TENANT")


def address(setting: str, *, directory: str = "") -> str:
    """An endpoint for the tenant of this installation, or for another ``directory``."""
    return env.require(setting).replace("{tenant}", quote(directory or tenant(), safe=""))


def _session(redirect_uri: str, asked: list[str] | None = None) -> OAuthSession:
    held = clients.require("microsoft")
    return OAuthSession(client_id=held.id, client_secret=held.secret, redirect_uri=redirect_uri, scope=asked)


def authorize_url(
    *,
    capabilities: Iterable[Capability],
    redirect_uri: str,
    state: str,
    nonce: str,
    verifier: str,
    account: str | None,
) -> str:
    """The consent page for this client, with everything bound to this one consent.

    Who is to choose an account gets the picker, which pays no heed to a hint.
    """
    extra = {"login_hint": account} if account else {"prompt": "select_account"}
    with _session(redirect_uri, scopes(capabilities)) as session:
        return session.consent_url(
            address("MICROSOFT_AUTHORIZE_URL"),
            state=state,
            verifier=verifier,
            nonce=nonce,
            response_mode="query",
            **extra,
        )


def admin_consent_url(capabilities: Iterable[Capability], redirect_uri: str) -> str:
    """Where an administrator permits all this for everybody in the organization ("v2-admin-consent").

    Without a directory of one's own it is asked by `organizations`; personal accounts have nobody to ask.
    """
    mine = tenant()
    if mine == _PERSONAL_ONLY:
        return ""
    asked = {
        "client_id": clients.require("microsoft").id,
        "scope": " ".join(scopes(capabilities)),
        "redirect_uri": redirect_uri,
    }
    page = address(
        "MICROSOFT_ADMIN_CONSENT_URL", directory="organizations" if mine in _NO_DIRECTORY else mine
    )
    return f"{page}?{urlencode(asked)}"


def read_admin_answer(query: Mapping[str, str]) -> bool | None:
    """``admin_consent=True&tenant=…``, with an ``error`` where it was not given ("v2-admin-consent").

    What else stands in it anybody could have written: nothing is concluded but what to say to whoever looks at it.
    """
    if query.get("admin_consent", "").lower() != "true" or query.get("code"):
        return None
    return not query.get("error")


def exchange(*, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
    """Code → grant, with the identity out of a verified id_token and the account's address."""
    with _session(redirect_uri) as session:
        try:
            token = session.exchange(address("MICROSOFT_TOKEN_URL"), code=code, verifier=verifier)
        except TokenAnswerError as error:
            raise _of_the_code(error) from None
    grant = token_answer.grant(token)
    claims = identity.verified(
        str(token.get("id_token") or ""),
        client_id=clients.require("microsoft").id,
        nonce=nonce,
        tenant=tenant(),
    )
    return dataclasses.replace(grant, identity=identity.of(claims, grant.access_token))


def _of_the_code(error: TokenAnswerError) -> ProviderError:
    """What ends a grant elsewhere is here about the code alone (70008, 70000, 54005 are said of both)."""
    told = oauth_error(error.body, error.status, error.words, error.retry_after)
    return ProviderError("code_refused", told.words) if told.grant_is_dead else told


def refresh(refresh_token: str) -> Grant:
    """A new access token and a new refresh token; the one that was used goes on working."""
    held = clients.require("microsoft")
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": held.id,
        "client_secret": held.secret,
    }
    try:
        token = token_call.ask(address("MICROSOFT_TOKEN_URL"), fields)
    except TokenAnswerError as error:
        raise oauth_error(error.body, error.status, error.words, error.retry_after) from None
    return token_answer.grant(token)
