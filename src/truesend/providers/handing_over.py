"""The one call that hands something over which must not arrive twice: a mail, or the record of one."""

from __future__ import annotations

from collections.abc import Callable

from truesend.providers import http
from truesend.providers.errors import Outcome, SendResult
from truesend.providers.http import Answer
from truesend.providers.shapes import Request


def once(
    call: Request, size: int, *, fence: Callable[[], None], judge: Callable[[Answer], SendResult]
) -> SendResult:
    """No retry; the outcome follows from where the answer came, and from what ``judge`` reads in it.

    ``size`` in bytes is of the mail itself, as it is noted with the attempt: a body in base64 gets no more time.
    ``fence`` is asked before the first byte and may refuse by raising.
    """
    try:
        answer = http.request(
            call.method,
            call.url,
            operation=call.operation,
            headers=call.headers,
            body=call.body,
            timeout=http.total_timeout(size),
            fence=fence,
        )
    except http.TransportError as error:
        outcome = Outcome.NOT_SENT if error.stage == "connect" else Outcome.UNKNOWN
        return SendResult(outcome, error.cause, error.words)
    return judge(answer)
