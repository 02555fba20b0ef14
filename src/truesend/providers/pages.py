"""What a provider's consent page says at first, before anybody has signed in."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from truesend.providers.http import Answer

_PACKED = re.compile(r"[A-Za-z0-9+/_-]{16,4000}={0,2}")


def silent(page: str) -> str:
    """The address of a consent page, asked to show nothing: OpenID Connect Core 3.1.2.1, ``prompt=none``."""
    parts = urlsplit(page)
    asked = [(name, value) for name, value in parse_qsl(parts.query) if name != "prompt"]
    return parts._replace(query=urlencode([*asked, ("prompt", "none")])).geturl()


def came_back(answer: Answer, redirect_uri: str) -> bool:
    """Whether an answer leads straight back with an error, as it does where nobody is signed in."""
    where, _, query = answer.headers.get("Location", "").partition("?")
    return 300 <= answer.status < 400 and where == redirect_uri and "error" in dict(parse_qsl(query))


def first_words(answer: Answer) -> str:
    """Its text, and what its redirect carries: an error may travel in a parameter, plain or in base64."""
    parts = [answer.body[:200_000].decode("utf-8", "replace")]
    location = answer.headers.get("Location", "")
    parts.append(location)
    try:
        values = [value for _, value in parse_qsl(urlsplit(location).query)]
    except ValueError:
        values = []
    return "\n".join([*parts, *values, *map(_unpacked, values)])


def _unpacked(value: str) -> str:
    if not _PACKED.fullmatch(value):
        return ""
    padded = value.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
