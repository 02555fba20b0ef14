"""Tokens of unsubscribe links: whose mail it is about, and from whom it came, so that the page needs no database.

Sealed as other links are (:mod:`truesend.tracking.tokens`), for a purpose of their own. The body::

    delivery 16 | organization 16 | length of address 1 | address, ASCII | name of the organization, UTF-8
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from truesend.tracking import tokens
from truesend.tracking.tokens import Keys, TokenError

PURPOSE = ord("u")
LONGEST = 2_000
"""Characters. A header's line ends at 998, and ours are far shorter."""

_NAME_BYTES = 120


@dataclass(frozen=True, slots=True)
class UnsubscribeToken:
    """The copy that somebody got, at which address, and the organization that sent it, with its name then."""

    delivery: UUID
    organization: UUID
    address: str
    name: str


def sign(keys: Keys, token: UnsubscribeToken) -> str:
    """The token, signed by the newest key; a name longer than 120 bytes is cut. ``ValueError`` for no address."""
    address = token.address.encode("ascii")
    if not 3 <= len(address) <= 255:
        raise ValueError("An address has 3 to 255 characters.")
    name = token.name.encode()[:_NAME_BYTES].decode(errors="ignore").strip().encode()
    body = token.delivery.bytes + token.organization.bytes + bytes((len(address),)) + address + name
    return tokens.seal(keys, PURPOSE, body)


def read(keys: Keys, text: str) -> UnsubscribeToken:
    """What it says, once its MAC is found right. Raises as :func:`truesend.tracking.tokens.read`."""
    if len(text) > LONGEST:
        raise TokenError("Not a token of ours.")
    body = tokens.unseal(keys, PURPOSE, text)
    end = 33 + body[32] if len(body) > 32 else 0
    if end == 0 or len(body) < end:
        raise TokenError("Not a token of ours.")
    return UnsubscribeToken(
        UUID(bytes=body[:16]),
        UUID(bytes=body[16:32]),
        body[33:end].decode("ascii", errors="replace"),
        body[end:].decode(errors="replace"),
    )
