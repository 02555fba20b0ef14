"""What OAuth 2.0 fixes and every provider does alike: redirect addresses, client credentials, PKCE."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from truesend_sandbox.door import Call


def redirect_allowed(patterns: str, uri: str) -> bool:
    """Exact match with a registered address; `http://localhost:*/path` stands for every port.

    `patterns` is the JSON list of a client's row.
    """
    for pattern in json.loads(patterns):
        if uri == pattern:
            return True
        if ":*/" in pattern:
            head, _, tail = pattern.partition(":*/")
            if re.fullmatch(rf"{re.escape(head)}(:\d{{1,5}})?/{re.escape(tail)}", uri):
                return True
    return False


def credentials(call: Call) -> tuple[str | None, str | None]:
    """Client id and secret, by `client_secret_post` or `client_secret_basic` (RFC 6749 §2.3.1)."""
    header = call.request.headers.get("Authorization", "")
    if header[:6].lower() == "basic ":
        try:
            name, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None, None
        return unquote_plus(name), unquote_plus(secret)
    return call.form.get("client_id"), call.form.get("client_secret")


def verifier_matches(verifier: str, challenge: str, method: str | None) -> bool:
    """Whether a PKCE verifier is that of the challenge; `method` is `plain` or `S256` (RFC 7636 §4.6)."""
    derived = verifier
    if method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        derived = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return secrets.compare_digest(derived.encode(), challenge.encode())
