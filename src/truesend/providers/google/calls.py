"""Making a call to Gmail, and what becomes of its answer."""

from __future__ import annotations

from typing import Any

from truesend.providers import http
from truesend.providers.contract import ProviderError, Request
from truesend.providers.google import errors


def ask(request: Request) -> Any:
    """The JSON of a 200; everything else is a :class:`ProviderError` with its cause."""
    try:
        answer = http.request(
            request.method,
            request.url,
            operation=request.operation,
            headers=request.headers,
            body=request.body,
        )
    except http.TransportError as error:
        raise ProviderError(error.cause, error.words) from None
    if answer.status == 200 and (body := answer.json()) is not None:
        return body
    raise errors.api_error(answer)
