"""Asking the calls of a send with nothing to send: whether they are reached, and let this key through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from truesend.providers import http, pages
from truesend.providers.errors import ProviderError, Refusal
from truesend.providers.shapes import CHECK_CALL, REDIRECT_CALL, Evidence, Request

REACHED = Evidence("reach", True, CHECK_CALL)


def ask(
    calls: Iterable[Request],
    *,
    refusal: Callable[[http.Answer], Refusal | None],
    is_accepted: Callable[[http.Answer], bool],
) -> Evidence:
    """The first answer that is not as it has to be, or that all are.

    A ``refusal`` of the content is the good answer, and where a call only reads what it read. A send with nothing to
    send may be accepted in the provider's own form. Every other is what a send would meet now.
    """
    for call in calls:
        found = _reached(call, refusal, is_accepted)
        if not found.ok:
            return found
    return REACHED


def _reached(
    call: Request,
    refusal: Callable[[http.Answer], Refusal | None],
    is_accepted: Callable[[http.Answer], bool],
) -> Evidence:
    try:
        answer = http.request(
            call.method, call.url, operation=call.operation, headers=call.headers, body=call.body
        )
    except http.TransportError as error:
        return Evidence("reach", False, CHECK_CALL, error.cause, error.words)
    refused = refusal(answer)
    if refused is not None:
        if refused.cause in call.good_refusals:
            return REACHED
        return Evidence("reach", False, CHECK_CALL, refused.cause, refused.words, until=refused.retry_at)
    if answer.status < 400:
        # Somebody in between says yes to everything, and would say it to a send as well.
        sound = is_accepted(answer) if call.operation == CHECK_CALL else isinstance(answer.json(), Mapping)
        return REACHED if sound else Evidence("reach", False, CHECK_CALL, "provider_garbage", answer.words())
    # Nothing of the kind the provider says: a page of somebody in between, or an address that is not there.
    cause = "provider_error" if answer.status >= 500 else "provider_refused"
    return Evidence("reach", False, CHECK_CALL, cause, f"{answer.status} {answer.words()}".strip())


def redirect(page: Callable[[], str], redirect_uri: str, *, refused: str) -> Evidence | None:
    """Whether a consent page that is asked to stay silent sends back; None where it does not say.

    ``page`` builds its address, ``refused`` is the pattern of its words where the return address is not registered.
    """
    try:
        answer = http.request("GET", pages.silent(page()), operation=REDIRECT_CALL)
    except (ProviderError, http.TransportError):
        return None
    if pages.came_back(answer, redirect_uri):
        return Evidence("client", True, REDIRECT_CALL)
    found = re.search(refused or "$^", pages.first_words(answer))
    if found is None:
        return None
    return Evidence("client", False, REDIRECT_CALL, "redirect_mismatch", f"{answer.status} {found[0]}")
