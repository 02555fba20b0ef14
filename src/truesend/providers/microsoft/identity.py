"""Whose account it is: by tenant and object id, never by an address, which can change and be given to somebody else.

Claims: "id-token-claims-reference"; ``email`` and ``preferred_username`` are not to be relied on for who it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from truesend import env
from truesend.providers import http, id_token
from truesend.providers.contract import Identity, Request
from truesend.providers.errors import ProviderError
from truesend.providers.microsoft import calls, graph

_NAME = "Microsoft"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# The directory of all personal accounts.
_PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
# `ana_northwind.example#EXT#@contoso.onmicrosoft.com`: how a guest of another organization is called.
_GUEST = re.compile(r"(?P<local>.+)_(?P<domain>[^_@]+)#EXT#@.+", re.IGNORECASE)
# Causes for which the account will not tell its profile, now or later.
_WITHHELD = frozenset({"scope_missing", "access_refused", "not_found", "mailbox_missing", "provider_refused"})


def verified(token: str, *, client_id: str, nonce: str, tenant: str) -> dict[str, Any]:
    """The claims of an id_token for this client and consent, issued by the directory it names itself (`common`).

    Where the installation's ``tenant`` is one directory, it has to be that one.
    """
    claims = id_token.claims(
        token,
        keys_url=env.require("MICROSOFT_JWKS_URL"),
        client_id=client_id,
        nonce=nonce,
        provider=_NAME,
    )
    directory, person = claims.get("tid"), claims.get("oid")
    wanted = _PERSONAL if tenant == "consumers" else tenant
    if (
        not (isinstance(directory, str) and _GUID.fullmatch(directory))
        or not (isinstance(person, str) and _GUID.fullmatch(person))
        or claims.get("iss") != f"https://login.microsoftonline.com/{directory}/v2.0"
        or (_GUID.fullmatch(wanted) and wanted.lower() != directory.lower())
    ):
        raise id_token.for_another(_NAME)
    return claims


def of(claims: Mapping[str, Any], access_token: str) -> Identity:
    """Subject ``tid:oid`` and the address: the mailbox's own, else the name it signs in with, else what is claimed."""
    profile = _profile(access_token)
    told = [profile.get("mail"), _readable(profile.get("userPrincipalName")), claims.get("email")]
    found = next((str(one) for one in told if _is_plain(one)), None) or _claimed(access_token)
    if found is None:
        raise ProviderError("identity_without_address", "Microsoft did not tell the address of the account.")
    name = claims.get("name") or profile.get("displayName") or ""
    return Identity(f"{claims['tid']}:{claims['oid']}".lower(), found.lower(), http.redact(str(name)))


def _profile(access_token: str) -> Mapping[str, Any]:
    """``/me``; nothing where it may not be read, which does not keep the account from sending."""
    try:
        body = calls.ask(graph.me_request(access_token, env.require("MICROSOFT_API_URL").rstrip("/")))
    except ProviderError as error:
        if error.cause not in _WITHHELD:
            raise
        return {}
    return body if isinstance(body, Mapping) else {}


def _claimed(access_token: str) -> str | None:
    """The address of the userinfo endpoint, asked where nothing else tells one."""
    headers = {"Authorization": f"Bearer {access_token}"}
    try:
        body = calls.ask(Request("GET", env.require("MICROSOFT_USERINFO_URL"), "userinfo", headers))
    except ProviderError as error:
        if error.cause not in _WITHHELD:
            raise
        return None
    found = body.get("email") if isinstance(body, Mapping) else None
    return found if isinstance(found, str) and _is_plain(found) else None


def _readable(name: object) -> object:
    """The name an account signs in with, of a guest as it is at home."""
    guest = _GUEST.fullmatch(name) if isinstance(name, str) else None
    return f"{guest['local']}@{guest['domain']}" if guest else name


def _is_plain(value: object) -> bool:
    return id_token.is_address(value) and not re.search(r"[\s#]", str(value))
