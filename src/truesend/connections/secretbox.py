"""Secrets at rest: AES-256-GCM with the key's id in front and the place of the value bound in.

Layout: 1 byte length of the key id, key id, 12 bytes nonce, ciphertext with tag. The associated data is
``table.column:row``, so that a value copied to another row or column does not open.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from truesend import env

_NONCE_BYTES = 12
_SETTINGS = (f"{env.PREFIX}ENCRYPTION_KEYS", f"{env.PREFIX}ENCRYPTION_KEYS_FILE")


@dataclass(frozen=True)
class Column:
    """A column of sealed values: its table, the one that names the row, itself, and the place without the row."""

    table: str
    row: str
    name: str
    place: str


SEALED = (
    Column("connections_token", "connection_id", "access", "token.access"),
    Column("connections_token", "connection_id", "refresh", "token.refresh"),
    Column("connections_token", "connection_id", "previous_refresh", "token.refresh"),
    Column("connections_consent", "id", "verifier", "consent.verifier"),
    Column("connections_providerclient", "provider", "secret", "client.secret"),
    Column("organizations_factorsecret", "id", "sealed", "second_factor.secret"),
    Column("closing_revocation", "id", "secret", "revocation.secret"),
)
"""Everything in the database that needs an encryption key; a test holds it complete."""


class SecretUnreadable(Exception):
    """The key is gone or the value is not the one stored here."""


# Where the keys stand in a file, it is read again after so many seconds.
_KEEP_SECONDS = 1.0


class _Ring:
    """The keys, newest first: read once a second, not with every secret, since a renewal opens one and seals two."""

    def __init__(self) -> None:
        self._known: tuple[tuple[str | None, ...], float, dict[str, bytes]] = ((), float("-inf"), {})

    def keys(self) -> dict[str, bytes]:
        """As the settings name them now."""
        known, now = self._known, time.monotonic()
        named = tuple(os.environ.get(name) for name in _SETTINGS)
        if known[0] != named or now - known[1] > _KEEP_SECONDS:
            known = self._known = (named, now, dict(env.encryption_keys()))
        return known[2]


_ring = _Ring()


def newest_key() -> str:
    """The name of the key that seals. Raises :class:`truesend.env.SettingError` where there is none."""
    return next(iter(_ring.keys()))


def seal(text: str, *, place: str) -> bytes:
    """Encrypt ``text`` with the newest key for one ``place`` ("token.access:<id>")."""
    key_id, key = next(iter(_ring.keys().items()))
    nonce = os.urandom(_NONCE_BYTES)
    name = key_id.encode()
    return bytes([len(name)]) + name + nonce + AESGCM(key).encrypt(nonce, text.encode(), place.encode())


def open_sealed(sealed: bytes | memoryview, *, place: str) -> str:
    """The text sealed for ``place``; raises :class:`SecretUnreadable`."""
    data = bytes(sealed)
    length = data[0] if data else 0
    name, rest = data[1 : 1 + length].decode("utf-8", "replace"), data[1 + length :]
    key = _ring.keys().get(name)
    if key is None:
        raise SecretUnreadable(f"no encryption key is called {name!r}")
    try:
        return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, ValueError):
        raise SecretUnreadable("the value does not belong here") from None
