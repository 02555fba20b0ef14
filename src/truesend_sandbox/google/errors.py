"""Google's error answers: the OAuth endpoints have one shape, the APIs another."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from truesend_sandbox.clock import rfc3339

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def json_answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON as Google sends it: charset named, never cached unless said."""
    sent = {"Content-Type": "application/json; charset=UTF-8", "Cache-Control": "private", **(headers or {})}
    return web.Response(status=status, body=json.dumps(body, indent=2).encode(), headers=sent)


def oauth_error(
    status: int, error: str, description: str | None = None, subtype: str | None = None
) -> web.Response:
    """`{"error", "error_description"?, "error_subtype"?}` as the token and revoke endpoints answer."""
    body = {"error": error}
    if subtype:
        body["error_subtype"] = subtype
    if description:
        body["error_description"] = description
    return json_answer(body, status, {"Cache-Control": "no-cache, no-store, max-age=0, must-revalidate"})


def api_error(
    status: int,
    message: str,
    reason: str,
    *,
    domain: str = "global",
    name: str | None = None,
    extra: dict[str, str] | None = None,
    details: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """The envelope of [G:handle-errors]: `{"error": {code, message, errors: […], status, details?}}`."""
    error: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": domain, "reason": reason, **(extra or {})}],
    }
    status_name = name or _STATUS_NAMES.get(status)
    if status_name:
        error["status"] = status_name
    if details:
        error["details"] = details
    return json_answer({"error": error}, status, headers)


def not_found() -> web.Response:
    """404 for anything that is not in this mailbox."""
    return api_error(404, "Requested entity was not found.", "notFound")


def bad_request(message: str, reason: str = "invalidArgument") -> web.Response:
    """400 with the text and reason of one rule."""
    return api_error(400, message, reason)


def unauthenticated(message: str = "Invalid Credentials", reason: str = "authError") -> web.Response:
    """401 for a missing, expired or revoked access token."""
    return api_error(
        401,
        message,
        reason,
        extra={"locationType": "header", "location": "Authorization"},
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


def insufficient_scopes() -> web.Response:
    """403 for a token without the scope that the call needs."""
    return api_error(
        403,
        "Request had insufficient authentication scopes.",
        "insufficientPermissions",
        details=[
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
                "metadata": {"service": "gmail.googleapis.com"},
            }
        ],
    )


def domain_policy() -> web.Response:
    """403 of a Workspace whose administrators closed Gmail for apps."""
    return api_error(403, "The domain administrators have disabled Gmail apps.", "domainPolicy")


def user_rate_limit(
    until: float, status: int, *, about_sending: bool, retry_after: int | None
) -> web.Response:
    """The per-user limit: the time stands in the message (two spaces), a header is not promised."""
    message = f"User-rate limit exceeded.  Retry after {rfc3339(until)}"
    if about_sending:
        message += " (Mail sending)"
    return api_error(
        status,
        message,
        "userRateLimitExceeded" if status == 403 else "rateLimitExceeded",
        domain="usageLimits",
        name="RESOURCE_EXHAUSTED",
        headers=None if retry_after is None else {"Retry-After": str(retry_after)},
    )


def backend_error(status: int) -> web.Response:
    """Google's own failure; tells nothing of what happened."""
    return api_error(status, "Backend Error", "backendError")
