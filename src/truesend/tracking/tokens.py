"""Signed, self-contained tokens of pixels and links.

A token carries everything that is needed to answer: purpose, version, delivery, and for a link its index
and target. So a redirect needs no database, and a link in a mailbox works whatever happens here.

Layout before base64url (no padding)::

    version 1 | purpose 1 | length of key id 1 | key id | delivery 16 | [link 2 | target, UTF-8] | MAC 16

The MAC is the first 128 bits of HMAC-SHA256 over everything before it. Reading is strict: one token has
exactly one spelling, so that changing any character makes it invalid.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

VERSION = 1
MAC_BYTES = 16
MAX_LINK = 0xFFFF
MAX_TARGET_BYTES = 48_000
"""Longer ones stay as they are in the mail: in a token they would pass the 64 KB a server reads of a path."""

if TYPE_CHECKING:
    _Hash = hashlib._Hash

Keys = Sequence[tuple[str, bytes]]
"""``(id, secret)``, newest first: the newest signs, all verify."""

_OPEN = ord("o")
_CLICK = ord("c")
_LINK = struct.Struct(">H")
_DOMAIN = b"truesend link\x00"  # keeps these MACs apart from any other use of the same key
_BLOCK_BYTES = 64
_INNER, _OUTER = bytes(n ^ 0x36 for n in range(256)), bytes(n ^ 0x5C for n in range(256))
_TARGET_START = re.compile(r"https?://", re.IGNORECASE)
_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST = {0: _CHARACTERS, 2: _CHARACTERS[::16], 3: _CHARACTERS[::4]}  # by length modulo 4
# To the alphabet that binascii reads; what it would take beyond ours becomes what it refuses.
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class TokenError(ValueError):
    """The token is not one of ours: cut off, changed or forged. It never leads anywhere."""


class UnknownKeyError(TokenError):
    """It looks like one of ours, but was signed by a key this installation does not have (any more)."""


@dataclass(frozen=True, slots=True)
class OpenToken:
    """The pixel of a delivery."""

    delivery: UUID


@dataclass(frozen=True, slots=True)
class ClickToken:
    """A link of a delivery: its index in the mail (0 is the first) and the address it leads to."""

    delivery: UUID
    link: int
    target: str


def sign_open(keys: Keys, delivery: UUID) -> str:
    """The token of a delivery's pixel, signed by the newest key."""
    return seal(keys, _OPEN, delivery.bytes)


def sign_click(keys: Keys, delivery: UUID, link: int, target: str) -> str:
    """The token of one link, signed by the newest key.

    ``target`` must be an http(s) address without control characters, else ``ValueError``.
    """
    if not 0 <= link <= MAX_LINK:
        raise ValueError(f"A link index lies between 0 and {MAX_LINK}.")
    if not is_target(target):
        raise ValueError("A link's target must be an http or https address without control characters.")
    return seal(keys, _CLICK, delivery.bytes + _LINK.pack(link) + target.encode())


def is_target(address: str) -> bool:
    """Whether an address can be carried by a token and answered as a ``Location``."""
    if not _TARGET_START.match(address) or _CONTROL.search(address):
        return False
    try:
        return len(address.encode()) <= MAX_TARGET_BYTES
    except UnicodeEncodeError:
        return False


def read(keys: Keys, token: str) -> OpenToken | ClickToken:
    """What a token says, once its MAC is found right.

    Raises :class:`UnknownKeyError` when its key is not among ``keys``, :class:`TokenError` for anything else.
    """
    delivery, link, target = Verifier(keys).read(token)
    return (
        OpenToken(UUID(bytes=delivery))
        if link is None
        else ClickToken(UUID(bytes=delivery), link, target.decode())
    )


class Verifier:
    """Reads tokens by a set of keys, where every microsecond counts: on the request path."""

    def __init__(self, keys: Keys) -> None:
        self._begun = {name.encode(): _begun(secret, _DOMAIN) for name, secret in reversed(keys)}

    def read(self, token: str) -> tuple[bytes, int | None, bytes]:
        """``(delivery, link, target)`` of a token whose MAC is right; raises as :func:`read`.

        The delivery is the 16 bytes of its UUID, the link ``None`` for a pixel, the target an address in UTF-8.
        """
        raw = _decode(token)
        size = len(raw)
        start = 3 + raw[2] if size > 3 else 0
        if start == 0 or raw[0] != VERSION or size < start + 16 + MAC_BYTES:
            raise TokenError("Not a token of ours.")
        begun = self._begun.get(raw[3:start])
        if begun is None:
            raise UnknownKeyError("Signed by a key that is not here.")
        if not hmac.compare_digest(raw[-MAC_BYTES:], _finished(*begun, raw[:-MAC_BYTES])[:MAC_BYTES]):
            raise TokenError("The signature does not match.")
        end, rest = size - MAC_BYTES, start + 16
        if raw[1] == _OPEN and rest == end:
            return raw[start:rest], None, b""
        if raw[1] == _CLICK and rest + _LINK.size < end:
            return raw[start:rest], _LINK.unpack_from(raw, rest)[0], raw[rest + _LINK.size : end]
        raise TokenError("Not a token of ours.")


def unseal(keys: Keys, purpose: int, token: str) -> bytes:
    """What :func:`seal` has sealed for that purpose; raises as :func:`read`. For where microseconds do not count."""
    raw = _decode(token)
    start = 3 + raw[2] if len(raw) > 3 else 0
    if start == 0 or raw[0] != VERSION or raw[1] != purpose or len(raw) < start + MAC_BYTES:
        raise TokenError("Not a token of ours.")
    secret = dict(reversed([(name.encode(), secret) for name, secret in keys])).get(raw[3:start])
    if secret is None:
        raise UnknownKeyError("Signed by a key that is not here.")
    if not hmac.compare_digest(raw[-MAC_BYTES:], _mac(secret, raw[:-MAC_BYTES])):
        raise TokenError("The signature does not match.")
    return raw[start:-MAC_BYTES]


def seal(keys: Keys, purpose: int, body: bytes) -> str:
    """A token of one purpose (a byte) around ``body``, signed by the newest key."""
    if not keys:
        raise ValueError("There is no key to sign with.")
    name, secret = keys[0]
    key_id = name.encode()
    if not 1 <= len(key_id) <= 255:
        raise ValueError("A key id has 1 to 255 bytes.")
    signed = bytes((VERSION, purpose, len(key_id))) + key_id + body
    return base64.urlsafe_b64encode(signed + _mac(secret, signed)).rstrip(b"=").decode()


def _mac(secret: bytes, signed: bytes) -> bytes:
    inner, outer = _begun(secret, _DOMAIN)
    return _finished(inner, outer, signed)[:MAC_BYTES]


@functools.lru_cache(maxsize=64)
def _begun(secret: bytes, domain: bytes) -> tuple[_Hash, _Hash]:
    """HMAC-SHA256 up to where the message goes on after ``domain`` (RFC 2104): each token then needs two short hashes.

    A key longer than a block is replaced by its hash, a shorter one filled up with zeros.
    """
    if len(secret) > _BLOCK_BYTES:
        secret = hashlib.sha256(secret).digest()
    block = secret.ljust(_BLOCK_BYTES, b"\0")
    inner = hashlib.sha256(block.translate(_INNER) + domain)
    return inner, hashlib.sha256(block.translate(_OUTER))


def _finished(inner: _Hash, outer: _Hash, rest: bytes) -> bytes:
    inner, outer = inner.copy(), outer.copy()
    inner.update(rest)
    outer.update(inner.digest())
    return outer.digest()


def _decode(token: str) -> bytes:
    # The last character may carry bits that decoding ignores: only the spelling without them counts.
    if not token or token[-1] not in _LAST.get(len(token) % 4, ""):
        raise TokenError("Not a token of ours.")
    try:
        standard = token.encode("ascii").translate(_TO_STANDARD) + b"=" * (-len(token) % 4)
        return binascii.a2b_base64(standard, strict_mode=True)
    except ValueError:  # of binascii, too
        raise TokenError("Not a token of ours.") from None
