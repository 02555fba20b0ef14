"""Gmail's error bodies, as Google writes them (guide "Resolve errors", and bodies seen), and what each means.

The same limit comes under 403 and 429: what it is follows from reason and text.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from truesend import clock
from truesend.providers import http
from truesend.providers.errors import Outcome
from truesend.providers.google import errors
from truesend.providers.google.provider import Google
from truesend.providers.google.retry import retry_at

SOON = (clock.now() + timedelta(hours=3)).replace(microsecond=247_000)
LIMIT = f"User-rate limit exceeded.  Retry after {SOON.isoformat().replace('+00:00', 'Z')}"
QUERIES = (
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per {}' of service 'gmail.googleapis.com' for"
    " consumer 'project_number:424242'."
)
SCOPES = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "domain": "googleapis.com",
}


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> http.Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.Answer(status, headers or {}, data, 1)


def envelope(
    code: int, message: str, reason: str = "", domain: str = "global", status: str = "", **more: Any
) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if reason:
        error["errors"] = [{"message": message, "domain": domain, "reason": reason}]
    if status:
        error["status"] = status
    return {"error": {**error, **more}}


# (status, message, reason, domain, canonical status, cause, whether it proves that nothing was sent)
TABLE: tuple[tuple[int, str, str, str, str, str, bool], ...] = (
    (400, "Invalid To header", "badRequest", "global", "", "recipient_refused", True),
    (400, "Invalid Cc header", "invalidArgument", "global", "INVALID_ARGUMENT", "recipient_refused", True),
    (400, "Recipient address required", "invalidArgument", "global", "", "recipient_refused", True),
    (400, "Missing draft message", "invalidArgument", "global", "INVALID_ARGUMENT", "message_refused", True),
    (400, "Bad Request", "badRequest", "global", "", "message_refused", True),
    (400, "Mail service not enabled", "failedPrecondition", "global", "", "mailbox_missing", True),
    (400, "Precondition check failed.", "", "", "FAILED_PRECONDITION", "mailbox_missing", True),
    (401, "Invalid Credentials", "authError", "global", "", "access_refused", True),
    (
        401,
        "Request had invalid authentication credentials.",
        "",
        "",
        "UNAUTHENTICATED",
        "access_refused",
        True,
    ),
    (401, "Login Required.", "required", "global", "", "access_refused", True),
    (403, "Daily Limit Exceeded", "dailyLimitExceeded", "usageLimits", "", "project_limit", True),
    (403, QUERIES.format("day"), "rateLimitExceeded", "usageLimits", "", "project_limit", True),
    (403, "User Rate Limit Exceeded", "userRateLimitExceeded", "usageLimits", "", "throttled", True),
    (403, "Rate Limit Exceeded", "rateLimitExceeded", "usageLimits", "", "throttled", True),
    (403, QUERIES.format("minute per user"), "rateLimitExceeded", "usageLimits", "", "throttled", True),
    (429, QUERIES.format("minute"), "rateLimitExceeded", "usageLimits", "", "throttled", True),
    (
        403,
        "The domain administrators have disabled Gmail apps.",
        "domainPolicy",
        "global",
        "",
        "admin_policy",
        True,
    ),
    (403, "Insufficient Permission", "insufficientPermissions", "global", "", "scope_missing", True),
    (
        403,
        "Gmail API has not been used in project 1 before or it is disabled.",
        "accessNotConfigured",
        "usageLimits",
        "",
        "api_disabled",
        True,
    ),
    (404, "Requested entity was not found.", "notFound", "global", "NOT_FOUND", "not_found", True),
    (429, LIMIT, "rateLimitExceeded", "global", "RESOURCE_EXHAUSTED", "throttled", True),
    (429, LIMIT, "rateLimitExceeded", "usageLimits", "RESOURCE_EXHAUSTED", "throttled", True),
    (429, LIMIT, "userRateLimitExceeded", "usageLimits", "RESOURCE_EXHAUSTED", "throttled", True),
    (403, LIMIT, "userRateLimitExceeded", "usageLimits", "", "throttled", True),
    (429, f"{LIMIT} (Mail sending)", "rateLimitExceeded", "usageLimits", "", "daily_limit", True),
    (403, f"{LIMIT} (Mail sending)", "userRateLimitExceeded", "usageLimits", "", "daily_limit", True),
    (429, f"{LIMIT} (Forwarding rules)", "rateLimitExceeded", "usageLimits", "", "throttled", True),
    (429, "Too many concurrent requests for user", "rateLimitExceeded", "usageLimits", "", "throttled", True),
    (403, "Too many concurrent requests for user", "", "", "", "throttled", True),
    (
        429,
        "Resource has been exhausted (e.g. check quota).",
        "rateLimitExceeded",
        "global",
        "",
        "throttled",
        True,
    ),
    (429, "Resource has been exhausted (e.g. check quota).", "", "", "RESOURCE_EXHAUSTED", "throttled", True),
    (429, "Something new", "", "", "", "throttled", True),
    (500, "Backend Error", "backendError", "global", "", "provider_error", False),
    (502, "Backend Error", "backendError", "global", "", "provider_error", False),
    (503, "Backend Error", "backendError", "global", "UNAVAILABLE", "provider_error", False),
    (504, "Backend Error", "backendError", "global", "", "provider_error", False),
    (403, "Backend Error", "backendError", "global", "", "provider_error", False),
    (500, "Internal error encountered.", "", "", "INTERNAL", "provider_error", False),
    (409, "The operation was aborted.", "aborted", "global", "ABORTED", "provider_error", False),
    (408, "Request timeout", "", "", "", "provider_error", False),
    (
        403,
        "Something that nobody knows",
        "forbidden",
        "global",
        "PERMISSION_DENIED",
        "provider_refused",
        True,
    ),
)


@pytest.mark.parametrize(
    ("status", "message", "reason", "domain", "name", "cause", "certain"),
    TABLE,
    ids=[f"{row[0]}-{row[2] or row[4] or 'bare'}-{row[5]}-{number}" for number, row in enumerate(TABLE)],
)
def test_what_google_says_and_what_it_means(
    status: int, message: str, reason: str, domain: str, name: str, cause: str, certain: bool
) -> None:
    given = answer(status, envelope(status, message, reason, domain, name))
    refusal = errors.api_refusal(given)
    assert refusal is not None
    assert (refusal.cause, refusal.proves_not_sent) == (cause, certain)
    assert refusal.words.startswith(str(status))
    assert message[:40] in refusal.words
    assert refusal.retry_at == (SOON if LIMIT in message else None)
    result = Google().judge_send(given)
    assert result.outcome is (Outcome.NOT_SENT if certain else Outcome.UNKNOWN)
    assert (result.cause, result.retry_at) == (cause, refusal.retry_at)


def test_a_scope_that_is_missing_is_told_in_the_details() -> None:
    said = "Request had insufficient authentication scopes."
    body = envelope(403, said, "insufficientPermissions", status="PERMISSION_DENIED", details=[SCOPES])
    for given in (body, envelope(403, "Denied", details=[SCOPES]), envelope(403, said)):
        refusal = errors.api_refusal(answer(403, given))
        assert refusal is not None
        assert refusal.cause == "scope_missing"


@pytest.mark.parametrize(
    ("message", "reason", "wide"),
    [
        (QUERIES.format("minute"), "rateLimitExceeded", True),
        (QUERIES.format("day"), "rateLimitExceeded", True),
        ("Daily Limit Exceeded", "dailyLimitExceeded", True),
        (QUERIES.format("minute per user"), "rateLimitExceeded", False),
        (LIMIT, "rateLimitExceeded", False),
        (f"{LIMIT} (Mail sending)", "rateLimitExceeded", False),
        ("Rate Limit Exceeded", "rateLimitExceeded", False),
    ],
    ids=[
        "minute",
        "day",
        "daily",
        "per user",
        "sending",
        "mail sending",
        "no words",
    ],  # not the moment of collecting
)
def test_whose_limit_it_is(message: str, reason: str, wide: bool) -> None:
    for status in (403, 429):
        result = Google().judge_send(answer(status, envelope(status, message, reason, "usageLimits")))
        assert result.client_wide is wide


@pytest.mark.parametrize(
    ("status", "body", "cause", "outcome"),
    [
        (429, b"<h1>Too many requests</h1>", "throttled", Outcome.NOT_SENT),
        (429, b"", "throttled", Outcome.NOT_SENT),
        (429, {"error": "rate_limited"}, "throttled", Outcome.NOT_SENT),
        (401, b"<h1>Unauthorized</h1>", "access_refused", Outcome.NOT_SENT),
        (413, b"<h1>Payload too large</h1>", "message_too_large", Outcome.NOT_SENT),
        (413, {"error": {"message": "Nobody knows these words"}}, "message_too_large", Outcome.NOT_SENT),
        (400, b"<h1>Bad request</h1>", "provider_refused", Outcome.NOT_SENT),
        (502, b"<h1>Bad gateway</h1>", "provider_error", Outcome.UNKNOWN),
        (503, {"error": {"message": None}}, "provider_error", Outcome.UNKNOWN),
        (425, b"", "provider_error", Outcome.UNKNOWN),
        (200, {}, "provider_garbage", Outcome.UNKNOWN),
        (200, b"<h1>Welcome</h1>", "provider_garbage", Outcome.UNKNOWN),
    ],
)
def test_answers_that_are_no_error_of_google(status: int, body: object, cause: str, outcome: Outcome) -> None:
    result = Google().judge_send(answer(status, body))
    assert (result.cause, result.outcome) == (cause, outcome)


@pytest.mark.parametrize(
    "error",
    [
        envelope(429, LIMIT, "userRateLimitExceeded")["error"],
        {"code": 429, "message": LIMIT, "errors": [{}]},
        {"code": 500},
        "rate_limited",
    ],
    ids=["known", "bare", "no words", "text"],
)
def test_an_id_beside_an_error_proves_nothing(error: object) -> None:
    body = {"id": "a1", "threadId": "a1", "error": error}
    result = Google().judge_send(answer(200, body))
    assert (result.outcome, result.cause, result.message_id) == (Outcome.UNKNOWN, "provider_garbage", "")
    assert result.retry_at is None


def written(moment: datetime, form: str = "Z") -> str:
    text = moment.isoformat(timespec="milliseconds")
    return text.replace("+00:00", form)


def test_the_time_in_the_text() -> None:
    later = (clock.now() + timedelta(hours=5)).replace(microsecond=500_000)
    for text in (
        f"User-rate limit exceeded.  Retry after {written(later)} (Mail sending)",
        f"user-rate limit exceeded. retry after {written(later)}",
        f"Retry after {written(later, '+00:00')}",
        f"Retry after {written(later.astimezone(UTC) + timedelta(hours=2), '+02:00')}",
    ):
        assert retry_at(text) == later


@pytest.mark.parametrize(
    "away",
    [timedelta(seconds=-1), timedelta(days=-400), timedelta(days=7, minutes=1), timedelta(days=100_000)],
)
def test_a_time_that_cannot_be_meant_is_not_heeded(away: timedelta) -> None:
    moment = clock.now() + away
    assert retry_at(f"Retry after {written(moment)}") is None
    assert retry_at("", str(int(away.total_seconds()))) is None
    assert retry_at("", format_datetime(moment.replace(microsecond=0), usegmt=True)) is None


@pytest.mark.parametrize(
    "text",
    ["", "Retry after tomorrow", "Retry after 2026-13-45T99:99:99Z", "Retry after 9999-99-99T00:00:00.1Z"],
)
def test_no_time_at_all(text: str) -> None:
    assert retry_at(text) is None
    for header in ("soon", "-5", "0", "１２", "9" * 400, "Wed, 32 Foo 2026 99:99:99 GMT"):
        assert retry_at(text, header) is None


def test_the_header_counts_where_it_comes_and_the_later_of_both() -> None:
    limit = envelope(429, LIMIT, "rateLimitExceeded")
    for status, body in (
        (429, limit),
        (403, limit),
        (429, b""),
        (503, envelope(503, "Backend Error", "backendError")),
    ):
        refusal = errors.api_refusal(answer(status, body, {"Retry-After": "14400"}))
        assert refusal is not None
        assert refusal.retry_at is not None
        assert abs(refusal.retry_at - clock.now() - timedelta(seconds=14400)) < timedelta(seconds=5)
    earlier = errors.api_refusal(answer(429, limit, {"Retry-After": "3"}))
    assert earlier is not None
    assert earlier.retry_at == SOON
    date = (clock.now() + timedelta(hours=2)).replace(microsecond=0)
    assert retry_at("", format_datetime(date, usegmt=True)) == date


def test_a_reading_that_is_throttled_keeps_the_time() -> None:
    error = errors.api_error(answer(429, envelope(429, LIMIT, "rateLimitExceeded")))
    assert (error.cause, error.retry_at) == ("throttled", SOON)
