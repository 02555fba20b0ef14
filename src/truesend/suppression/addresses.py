"""What makes two addresses one on a suppression list. Pure, and free of Django: the loader uses it too.

As mail is delivered in practice: capitals make no difference, before the @ neither; a domain in letters outside ASCII
is the one it travels as (IDNA, UTS 46). What follows a plus sign is part of the address: at some hosts it is another
mailbox, and whoever asked for one did not ask for the other.
"""

from __future__ import annotations

import hashlib
import unicodedata
from contextlib import suppress
from uuid import UUID

import idna

HASHED = "sha256:"
"""How the key of somebody begins who was forgotten: what is left tells whether an address is theirs, and not which."""


def key_of(address: str) -> str:
    """The one spelling of an address; of what is none, its lower case."""
    local, _, domain = unicodedata.normalize("NFC", address.strip()).lower().rpartition("@")
    domain = domain.rstrip(".")
    if not domain.isascii():
        with suppress(idna.IDNAError, UnicodeError):
            domain = idna.encode(domain, uts46=True, std3_rules=False).decode("ascii").rstrip(".")
    return f"{local}@{domain}" if local else domain


def digest_of(organization: UUID, key: str) -> str:
    """What is kept of a key once its person is forgotten; another one in each organization.

    The SQL function ``truesend_suppression_keys`` (migration 0001) makes the same.
    """
    return HASHED + hashlib.sha256(f"{organization}:{key}".encode()).hexdigest()


def keys_of(organization: UUID, address: str) -> tuple[str, str]:
    """Both under which an address may stand on the organization's list."""
    key = key_of(address)
    return key, digest_of(organization, key)
