"""Secrets at rest: AES-256-GCM with the key's id in front and the place of the value bound in.

Layout: 1 byte length of the key id, key id, 12 bytes nonce, ciphertext with tag. The associated data is
``table.column:row``, so that a value copied to another row or column does not open.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from truesend import env

_NONCE_BYTES = 12


class SecretUnreadable(Exception):
    """The key is gone or the value is not the one stored here."""


def seal(text: str, *, place: str) -> bytes:
    """Encrypt ``text`` with the newest key for one ``place`` ("token.access:<id>")."""
    key_id, key = env.encryption_keys()[0]
    nonce = os.urandom(_NONCE_BYTES)
    name = key_id.encode()
    return bytes([len(name)]) + name + nonce + AESGCM(key).encrypt(nonce, text.encode(), place.encode())


def open_sealed(sealed: bytes | memoryview, *, place: str) -> str:
    """The text sealed for ``place``; raises :class:`SecretUnreadable`."""
    data = bytes(sealed)
    length = data[0] if data else 0
    name, rest = data[1 : 1 + length].decode("utf-8", "replace"), data[1 + length :]
    key = dict(env.encryption_keys()).get(name)
    if key is None:
        raise SecretUnreadable(f"no encryption key is called {name!r}")
    try:
        return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, ValueError):
        raise SecretUnreadable("the value does not belong here") from None
