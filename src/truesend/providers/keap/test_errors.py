"""Keap's error bodies, as its specification, its gateway and its users' reports have them, and what each means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from truesend import clock
from truesend.providers import http, registry
from truesend.providers.errors import Outcome
from truesend.providers.keap import errors

KEAP = registry.provider("keap")


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> http.Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.Answer(status, headers or {}, data, 1)


def fault(text: str, code: str) -> dict[str, Any]:
    return {"fault": {"faultstring": text, "detail": {"errorcode": code}}}


def error(status: int, message: str) -> dict[str, Any]:
    return {"code": status, "message": message, "status": "Error", "details": []}


TOO_MANY = {"code": "429", "message": "Quota Exceeded", "status": "Request Throttled", "details": None}


@pytest.mark.parametrize(
    ("status", "body", "cause", "dead"),
    [
        (400, {"error": "invalid_grant", "error_description": "Invalid refresh token"}, "grant_rejected", True),
        (400, {"error": "invalid_request", "error_description": "Invalid Refresh Token"}, "grant_rejected", True),
        (
            401,
            {"error": "invalid_grant", "error_description": "Unable to authenticate username and password"},
            "grant_rejected",
            True,
        ),
        (400, {"error": "invalid_grant", "error_description": "Authorization code is invalid"}, "grant_rejected", True),
        (
            400,
            {"error": "invalid_request", "error_description": "response_type or grant_type is required"},
            "provider_refused",
            False,
        ),
        (
            401,
            {"error": "invalid_client", "error_description": "Client credentials are invalid"},
            "client_secret_wrong",
            False,
        ),
        (401, {"error": "invalid_client"}, "client_secret_wrong", False),
        (401, {"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"}, "client_unknown", False),
        (400, {"error": "unauthorized_client"}, "client_mismatch", True),
        (400, {"error": "something_new"}, "provider_refused", False),
        (503, {"error": "temporarily_unavailable"}, "provider_error", False),
        (503, fault("Unavailable", "messaging.adaptors.http.flow.ServiceUnavailable"), "provider_error", False),
        (429, TOO_MANY, "throttled", False),
        (200, {"token_type": "bearer"}, "provider_garbage", False),
        (200, b"<h1>Welcome</h1>", "provider_garbage", False),
        (502, b"<h1>Bad gateway</h1>", "provider_error", False),
    ],
)  # fmt: skip
def test_the_token_endpoint(status: int, body: object, cause: str, dead: bool) -> None:
    told = errors.oauth_error(answer(status, body))
    assert (told.cause, told.grant_is_dead) == (cause, dead)
    assert told.words


# (status, body, cause, whether it proves that nothing was sent)
TABLE: tuple[tuple[int, object, str, bool], ...] = (
    (401, fault("Invalid access token", "oauth.v2.InvalidAccessToken"), "access_refused", True),
    (
        401,
        fault("Invalid Access Token", "keymanagement.service.invalid_access_token"),
        "access_refused",
        True,
    ),
    (
        401,
        fault("Access Token expired", "keymanagement.service.access_token_expired"),
        "access_refused",
        True,
    ),
    (401, fault("Not approved", "keymanagement.service.access_token_not_approved"), "access_refused", True),
    (401, fault("Invalid ApiKey", "oauth.v2.InvalidApiKey"), "access_refused", True),
    (429, fault("Spike arrest violation.", "policies.ratelimit.SpikeArrestViolation"), "throttled", True),
    (500, fault("Rate limit quota violation.", "policies.ratelimit.QuotaViolation"), "throttled", True),
    (503, fault("Down", "messaging.adaptors.http.flow.ServiceUnavailable"), "provider_error", False),
    (504, fault("Late", "messaging.adaptors.http.flow.GatewayTimeout"), "provider_error", False),
    (413, fault("Too big", "protocol.http.TooBigBody"), "message_too_large", True),
    (429, TOO_MANY, "throttled", True),
    (400, error(400, "attachment type is invalid"), "message_refused", True),
    (400, error(400, "attachment is larger than 1MB"), "message_too_large", True),
    (400, error(400, "Exactly one of user_id or from_address is required"), "mailbox_missing", True),
    (400, error(400, "Contact 5 not found"), "recipient_refused", True),
    (400, error(400, "subject is required"), "message_refused", True),
    (403, error(403, "An administrator has turned off this application's access."), "admin_policy", True),
    (403, error(403, "Sending is disabled for this account: compliance review"), "sending_blocked", True),
    (404, error(404, "Contact not found"), "not_found", True),
    (405, error(405, "Method Not Allowed"), "provider_refused", True),
    (409, error(409, "Conflict"), "provider_error", False),
    (500, error(500, "Internal Server Error"), "provider_error", False),
    (501, error(501, "Not Implemented"), "provider_error", False),
    (404, {"message": "No message available", "stackTrace": []}, "not_found", True),
    (401, b"<h1>Sign in</h1>", "access_refused", True),
    (429, b"", "throttled", True),
)


@pytest.mark.parametrize(("status", "body", "cause", "proves"), TABLE)
def test_the_api(status: int, body: object, cause: str, proves: bool) -> None:
    refusal = KEAP.read_refusal(answer(status, body))
    assert refusal is not None
    assert (refusal.cause, refusal.proves_not_sent) == (cause, proves)
    result = KEAP.judge_send(answer(status, body))
    assert result.outcome is (Outcome.NOT_SENT if proves else Outcome.UNKNOWN)
    assert str(status) in refusal.words


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[]", b"<h1>Not here</h1>", b'{"message": 5}', b"\xff"]
)
@pytest.mark.parametrize("status", [200, 202, 400, 404, 500])
def test_what_is_no_error_body_is_none(status: int, body: bytes) -> None:
    assert KEAP.read_refusal(answer(status, body)) is None


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (202, b"", Outcome.ACCEPTED),
        (202, b" \r\n", Outcome.ACCEPTED),
        (202, b"{}", Outcome.ACCEPTED),
        (202, json.dumps({"message": "Accepted"}).encode(), Outcome.ACCEPTED),
        (202, b"<h1>Accepted</h1>", Outcome.UNKNOWN),
        (202, json.dumps(fault("x", "messaging.y")).encode(), Outcome.UNKNOWN),
        (200, b"", Outcome.UNKNOWN),
        (204, b"", Outcome.UNKNOWN),
        (302, b"", Outcome.UNKNOWN),
        (400, b"<h1>Bad</h1>", Outcome.NOT_SENT),
        (408, b"", Outcome.UNKNOWN),
        (502, b"<h1>Bad gateway</h1>", Outcome.UNKNOWN),
    ],
)
def test_what_a_send_came_to(status: int, body: bytes, outcome: Outcome) -> None:
    result = KEAP.judge_send(answer(status, body))
    assert result.outcome is outcome
    assert (result.message_id, result.thread_id) == ("", "")


# -- whose limit it is, and until when -----------------------------------------------------------------------------


def headers(day: str = "9", tenant: str = "9|9", **more: str) -> dict[str, str]:
    ends = round((clock.now() + timedelta(hours=3)).timestamp() * 1000)
    return {
        "x-keap-product-quota-time-unit": "day",
        "x-keap-product-quota-available": day,
        "x-keap-product-quota-expiry-time": str(ends),
        "x-keap-product-throttle-time-unit": "minute",
        "x-keap-product-throttle-available": "0",
        "x-keap-tenant-throttle-time-unit": "minute|day",
        "x-keap-tenant-throttle-available": tenant,
        **more,
    }


def until(refusal: Any) -> timedelta | None:
    return None if refusal.retry_at is None else refusal.retry_at - clock.now()


def test_the_clients_minute_concerns_every_connection() -> None:
    refusal = KEAP.read_refusal(answer(429, TOO_MANY, headers()))
    assert refusal is not None
    assert (refusal.cause, refusal.client_wide, until(refusal)) == ("throttled", True, None)


def test_the_clients_day_ends_when_its_header_says() -> None:
    refusal = KEAP.read_refusal(answer(429, TOO_MANY, headers(day="0")))
    assert refusal is not None
    assert (refusal.cause, refusal.client_wide) == ("project_limit", True)
    left = until(refusal)
    assert left is not None
    assert timedelta(hours=2, minutes=59) < left <= timedelta(hours=3, seconds=1)


def test_an_apps_own_limits_concern_its_connections_alone() -> None:
    minute = KEAP.read_refusal(answer(429, TOO_MANY, headers(tenant="0|5")))
    day = KEAP.read_refusal(answer(429, TOO_MANY, headers(tenant="0|0")))
    assert minute is not None
    assert day is not None
    assert (minute.cause, minute.client_wide) == ("throttled", False)
    assert (day.cause, day.client_wide) == ("daily_limit", False)
    assert day.retry_at is not None
    assert day.retry_at.astimezone(UTC).time() == datetime.min.time()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-keap-product-quota-expiry-time", "soon"),
        ("x-keap-product-quota-expiry-time", "9" * 30),
        ("x-keap-product-quota-expiry-time", "1"),
        ("x-keap-product-quota-expiry-time", ""),
    ],
)
def test_a_time_nobody_can_mean_is_left_out(name: str, value: str) -> None:
    refusal = KEAP.read_refusal(answer(429, TOO_MANY, headers(day="0", **{name: value})))
    assert refusal is not None
    assert (refusal.cause, refusal.retry_at) == ("project_limit", None)


def test_retry_after_is_heeded_where_it_comes() -> None:
    refusal = KEAP.read_refusal(answer(429, b"", {"Retry-After": "90"}))
    assert refusal is not None
    left = until(refusal)
    assert left is not None
    assert timedelta(seconds=80) < left <= timedelta(seconds=90)


def test_a_key_has_limits_and_an_end_of_its_own() -> None:
    assert errors.of_a_key("access_refused") == "key_refused"
    assert errors.of_a_key("project_limit") == "daily_limit"
    assert errors.of_a_key("throttled") == "throttled"


def test_no_secret_is_in_the_words() -> None:
    body = error(400, "Bad key KeapAK-0123456789abcdef and access_token=0123456789abcdef")
    refusal = KEAP.read_refusal(answer(400, body))
    assert refusal is not None
    assert "0123456789" not in refusal.words
