"""Microsoft's error answers: the identity platform has one shape, Graph another."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.microsoft.aadsts import CODES
from truesend_sandbox.microsoft.moments import moment, spaced_moment

_NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
_SWITCHED = {
    65001: "consent_removed_error",
    50076: "policy_error",
    53003: "policy_error",
    700016: "unknown_app_error",
}
"""Numbers whose `error` is a switch."""


def short_description(code: int, **values: object) -> str:
    """`AADSTS65004: …` without the numbers of the case, as callbacks carry it."""
    return f"AADSTS{code}: {CODES[code].text.format(**values)}"


def token_error(call: Call, code: int, *, text: str | None = None, **values: object) -> web.Response:
    """The token endpoint's answer for an AADSTS number; `text` in place of the table's."""
    known = CODES[code]
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    correlation = call.request.headers.get("client-request-id") or correlation
    at = spaced_moment(call.now)
    words = f"AADSTS{code}: {text or known.text.format(**values)}"
    body: dict[str, object] = {
        "error": call.switch(_SWITCHED[code]) if code in _SWITCHED else known.error,
        "error_description": (
            f"{words}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {at}"
        ),
        "error_codes": [code],
        "timestamp": at,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }
    if known.suberror and call.switch("suberror"):
        body["suberror"] = known.suberror
    if known.policy and call.switch("claims_challenge"):
        body["claims"] = json.dumps(
            {"access_token": {"capolids": {"essential": True, "values": [str(uuid.uuid4())]}}}
        )
    return json_answer(body, known.status, {**_NO_STORE, "x-ms-request-id": trace})


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON of the identity platform."""
    sent = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return web.Response(status=status, body=json.dumps(body).encode(), headers=sent)


def stamped(call: Call, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers of every Graph answer: its own request id, and the client's where it sent one."""
    number = str(uuid.uuid4())
    return {
        "Cache-Control": "private",
        "request-id": number,
        "client-request-id": call.request.headers.get("client-request-id") or number,
        **(headers or {}),
    }


def graph_answer(
    call: Call, body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """JSON of Graph."""
    kind = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false"
    sent = stamped(
        call, {"Content-Type": f"{kind}; charset=utf-8", "OData-Version": "4.0", **(headers or {})}
    )
    return web.Response(status=status, body=json.dumps(body).encode(), headers=sent)


def nothing(call: Call, status: int) -> web.Response:
    """An answer without a body: 202 of a send, 204 of a deletion."""
    return web.Response(status=status, headers=stamped(call))


def graph_error(
    call: Call, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """`{"error": {code, message, innerError}}`."""
    sent = stamped(call, headers)
    inner = {
        "date": moment(call.now).removesuffix("Z"),
        "request-id": sent["request-id"],
        "client-request-id": sent["client-request-id"],
    }
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    sent["Content-Type"] = "application/json"
    return web.Response(status=status, body=json.dumps(body).encode(), headers=sent)


def unauthenticated(call: Call, message: str) -> web.Response:
    """401 for an access token that is missing, unknown or over."""
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize",'
        ' client_id="00000003-0000-0000-c000-000000000000"'
    )
    return graph_error(call, 401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def item_not_found(call: Call) -> web.Response:
    """404 for anything that is not in this mailbox."""
    return graph_error(call, 404, "ErrorItemNotFound", "The specified object was not found in the store.")


def bad_request(call: Call, message: str, code: str = "BadRequest") -> web.Response:
    """400 with the text and code of one rule."""
    return graph_error(call, 400, code, message)


def retry_after(call: Call, seconds: float) -> dict[str, str]:
    """The header as the switch writes it."""
    form = call.switch("retry_after")
    if form == "absent":
        return {}
    return {"Retry-After": f"{seconds:.3f}" if form == "decimal" else str(max(1, round(seconds)))}


def throttled(call: Call, seconds: float) -> web.Response:
    """429 of Graph."""
    code = call.switch("throttle_code")
    if code == "TooManyRequests":
        return graph_error(call, 429, code, "Please retry again later.", retry_after(call, seconds))
    return graph_error(
        call, 429, code, "Application is over its MailboxConcurrency limit.", retry_after(call, seconds)
    )
