"""A provider's signing key: made once, kept in the store, so that tokens stay verifiable after a restart."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from truesend_sandbox.store import Store

_loaded: dict[str, RSAKey] = {}


def signing_key(store: Store, provider: str) -> RSAKey:
    """The RSA key with its `kid`; created on first use."""
    name = f"{provider}.signing_key"
    stored = store.value("SELECT value FROM meta WHERE key = ?", name)
    if stored is None:
        fresh = RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}, private=True, auto_kid=False)
        data = fresh.as_dict(private=True)
        data["kid"] = hashlib.sha1(str(data["n"]).encode(), usedforsecurity=False).hexdigest()
        stored = json.dumps(data)
        store.run("INSERT INTO meta (key, value) VALUES (?, ?)", name, stored)
    key = _loaded.get(stored)
    if key is None:
        key = _loaded[stored] = RSAKey.import_key(json.loads(stored))
    return key


def public_key(store: Store, provider: str) -> dict[str, Any]:
    """The public half as a JWK."""
    data = signing_key(store, provider).as_dict(private=False)
    return {name: data[name] for name in ("kid", "kty", "alg", "use", "n", "e")}


def sign(store: Store, provider: str, claims: dict[str, Any]) -> str:
    """An RS256 JWT."""
    key = signing_key(store, provider)
    header = {"alg": "RS256", "kid": str(key.as_dict()["kid"]), "typ": "JWT"}
    return jwt.encode(header, claims, key, algorithms=["RS256"])


def at_hash(access_token: str) -> str:
    """OIDC Core 3.1.3.6: left half of SHA-256, base64url without padding."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def same(known: str, given: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing."""
    return secrets.compare_digest(known.encode(), given.encode())
