"""How a part shows that it belongs to this installation: whoever has the same key can tell. Pure.

``/healthz?vouch=NONCE`` of web and tracker answers with a keyed digest of the nonce, so that ``truesend doctor`` knows
whether an address leads here or to somebody else. It gives nothing away of the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re

_DOMAIN = b"truesend vouches\x00"  # apart from any other use of the same key
_NONCE = re.compile(r"[0-9a-f]{32}")


def vouch(key: bytes, nonce: str) -> str | None:
    """The answer to a nonce of 32 hexadecimal digits; None for anything else."""
    if not _NONCE.fullmatch(nonce):
        return None
    return hmac.new(key, _DOMAIN + nonce.encode("ascii"), hashlib.sha256).hexdigest()


def is_vouched(key: bytes, nonce: str, answer: object) -> bool:
    """Whether an answer was made with this key."""
    expected = vouch(key, nonce)
    return expected is not None and isinstance(answer, str) and hmac.compare_digest(expected, answer)
