"""A call of a token endpoint, built by hand: thousands are made in a row, and a session for each costs as much again.

RFC 6749, 3.2: a form goes in, a JSON object comes out. No redirect is followed (the door follows none): it would carry
client secret and refresh token to an address that nobody configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truesend.providers import http
from truesend.providers.errors import ProviderError

_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}


class TokenAnswerError(Exception):
    """A token endpoint answered something other than a token. ``retry_after`` is that header, where it came."""

    def __init__(self, status: int, body: Any, words: str, retry_after: str | None = None) -> None:
        super().__init__(f"{status} {words}")
        self.status = status
        self.body = body
        self.words = words
        self.retry_after = retry_after


def ask(url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """Post ``fields`` and return the token answer.

    Raises :class:`ProviderError` where no answer came, :class:`TokenAnswerError` where another did.
    """
    try:
        answer = http.request(
            "POST", url, operation="token", headers={**_FORM, **(headers or {})}, body=http.form(fields)
        )
    except http.TransportError as error:
        raise ProviderError(error.cause, error.words) from None
    body = answer.json()
    if answer.status != 200 or not isinstance(body, Mapping) or "error" in body:
        raise TokenAnswerError(answer.status, body, answer.words(), answer.headers.get("Retry-After"))
    return body
