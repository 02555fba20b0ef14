"""Keap's error answers: the token endpoint, the gateway (Apigee) and the two APIs each have a shape of their own."""

from __future__ import annotations

import json
from http import HTTPStatus

from aiohttp import web

from truesend_sandbox.door import Call

API_BASES = ("/crm/rest", "/rest")


def json_answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON as Keap sends it."""
    sent = {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}
    return web.Response(status=status, body=json.dumps(body).encode(), headers=sent)


def oauth_error(status: int, error: str, description: str | None = None) -> web.Response:
    """`{"error", "error_description"?}` as the token endpoint answers (keap.md §1, "Error bodies")."""
    body = {"error": error} if description is None else {"error": error, "error_description": description}
    return json_answer(body, status, {"Cache-Control": "no-store"})


def fault(status: int, text: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    """The gateway's own shape: `{"fault": {"faultstring", "detail": {"errorcode"}}}`."""
    return json_answer({"fault": {"faultstring": text, "detail": {"errorcode": code}}}, status, headers)


def no_token() -> web.Response:
    """401 without a bearer token (observed)."""
    return fault(401, "Invalid access token", "oauth.v2.InvalidAccessToken")


def unknown_token() -> web.Response:
    """401 for a token the gateway does not know (observed)."""
    return fault(401, "Invalid Access Token", "keymanagement.service.invalid_access_token")


def expired_token(call: Call) -> web.Response:
    """401 for a token past its time; the text is Apigee's, unconfirmed for Keap."""
    if call.switch("expired_token_fault") == "invalid":
        return unknown_token()
    return fault(401, "Access Token expired", "keymanagement.service.access_token_expired")


def revoked_token(call: Call) -> web.Response:
    """401 for a token that was ended before its time."""
    if call.switch("revoked_token_fault") == "not_approved":
        return fault(401, "Access Token not approved", "keymanagement.service.access_token_not_approved")
    return unknown_token()


def version(path: str) -> str:
    """`v1` or `v2`, by the address."""
    return "v1" if "/rest/v1/" in path else "v2"


def api_error(path: str, status: int, message: str, *, resource: str | None = None) -> web.Response:
    """An application's error: v2 `Error{code, message, status, details}`, v1 `{message}` [SPEC]."""
    if version(path) == "v1":
        return json_answer({"message": message}, status)
    details = [] if resource is None else [{"domain": "keap", "resource": resource}]
    body = {"code": status, "message": message, "status": HTTPStatus(status).phrase, "details": details}
    return json_answer(body, status)


def throttled(call: Call, *, spike: bool = False, retry_after: float | None = None) -> web.Response:
    """429: the body observed, or Apigee's, by switch."""
    headers = {}
    if call.switch("retry_after_header") and retry_after is not None:
        headers["Retry-After"] = str(max(1, round(retry_after)))
    if call.switch("throttle_body") == "apigee":
        kind, text = (
            ("SpikeArrest", "Spike arrest violation.") if spike else ("Quota", "Rate limit quota violation.")
        )
        return fault(429, text, f"policies.ratelimit.{kind}Violation", headers)
    body = {"code": "429", "message": "Quota Exceeded", "status": "Request Throttled", "details": None}
    return json_answer(body, 429, headers)


def unavailable(path: str, status: int) -> web.Response:
    """Keap's own failure; tells nothing of what happened."""
    if status in (502, 503, 504):
        return fault(
            status,
            "The Service is temporarily unavailable",
            "messaging.adaptors.http.flow.ServiceUnavailable",
        )
    return api_error(path, status, "Internal Server Error")
