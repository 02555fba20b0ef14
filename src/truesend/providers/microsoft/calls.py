"""Making a call to Graph, and what becomes of its answer."""

from __future__ import annotations

from typing import Any

from truesend.providers import http
from truesend.providers.contract import Request
from truesend.providers.errors import ProviderError
from truesend.providers.microsoft import errors


def ask(request: Request, *, status: int = 200) -> Any:
    """The JSON of an answer with this status; every other is a :class:`ProviderError` with its cause."""
    answer = answer_to(request)
    if answer.status == status and (body := answer.json()) is not None:
        return body
    raise errors.graph_error(answer)


def content(request: Request) -> bytes:
    """The body of a 200, as it came."""
    answer = answer_to(request)
    if answer.status == 200:
        return answer.body
    raise errors.graph_error(answer)


def do(request: Request) -> None:
    """A call that is answered with 204 and nothing."""
    answer = answer_to(request)
    if answer.status != 204:
        raise errors.graph_error(answer)


def garbage(what: str) -> ProviderError:
    """An answer in Graph's form that is not what was asked for."""
    return ProviderError("provider_garbage", f"Microsoft answered with {what} that cannot be read.")


def answer_to(request: Request) -> http.Answer:
    """Any answer there is; none is a :class:`ProviderError` of the transport."""
    try:
        return http.request(
            request.method,
            request.url,
            operation=request.operation,
            headers=request.headers,
            body=request.body,
        )
    except http.TransportError as error:
        raise ProviderError(error.cause, error.words) from None
