"""Microsoft's error bodies, as its documentation and answers seen have them, and what each means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from truesend import clock
from truesend.providers import http
from truesend.providers.errors import Outcome
from truesend.providers.microsoft import errors
from truesend.providers.microsoft.provider import Microsoft

NOBODY_KNOWS = "Something that nobody knows."
VERDICT = (
    "Cannot send mail. Follow the instructions in your Inbox to verify your account., WASCL UserAction verdict is not"
    " None. Actual verdict is {}."
)


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> http.Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.Answer(status, headers or {}, data, 1)


def graph(code: str, message: str = NOBODY_KNOWS) -> dict[str, Any]:
    inner = {"date": "2026-01-01T00:00:00", "request-id": "0", "client-request-id": "0"}
    return {"error": {"code": code, "message": message, "innerError": inner}}


def oauth(number: int, text: str, error: str = "invalid_grant", **more: Any) -> dict[str, Any]:
    trace = "0000aaaa-11bb-cccc-dd22-eeeeee333333"
    return {
        "error": error,
        "error_description": f"AADSTS{number}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {trace}\r\n"
        "Timestamp: 2022-06-01 02:02:12Z",
        "error_codes": [number],
        "timestamp": "2022-06-01 02:02:12Z",
        "trace_id": trace,
        "correlation_id": trace,
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
        **more,
    }


# (number, `error`, status, cause, whether only a new consent helps)
NUMBERS: tuple[tuple[int, str, int, str, bool], ...] = (
    (700082, "invalid_grant", 400, "grant_idle", True),
    (70008, "invalid_grant", 400, "grant_idle", True),
    (50173, "invalid_grant", 400, "password_changed", True),
    (50132, "invalid_grant", 400, "password_changed", True),
    (65001, "invalid_grant", 400, "grant_revoked", True),
    (65001, "consent_required", 400, "grant_revoked", True),
    (70043, "invalid_grant", 400, "session_policy", True),
    (70000, "invalid_grant", 400, "grant_rejected", True),
    (54005, "invalid_grant", 400, "grant_rejected", True),
    (50034, "invalid_grant", 400, "account_gone", True),
    (50057, "invalid_grant", 400, "account_gone", False),
    (50074, "invalid_grant", 400, "mfa_required", False),
    (50076, "interaction_required", 400, "mfa_required", False),
    (50078, "invalid_grant", 400, "mfa_required", False),
    (50079, "invalid_grant", 400, "mfa_required", False),
    (53000, "invalid_grant", 400, "admin_policy", False),
    (53003, "interaction_required", 400, "admin_policy", False),
    (530032, "invalid_grant", 400, "admin_policy", False),
    (530035, "invalid_grant", 400, "admin_policy", False),
    (90094, "access_denied", 400, "admin_consent_needed", False),
    (90095, "access_denied", 400, "admin_consent_needed", False),
    (50011, "invalid_request", 400, "redirect_mismatch", False),
    (700016, "unauthorized_client", 400, "client_unknown", False),
    (700016, "invalid_client", 400, "client_unknown", False),
    (70001, "unauthorized_client", 400, "client_unknown", False),
    (7000112, "unauthorized_client", 400, "admin_policy", False),
    (7000215, "invalid_client", 401, "client_secret_wrong", False),
    (7000218, "invalid_client", 401, "client_secret_wrong", False),
    (7000222, "invalid_client", 401, "client_secret_expired", False),
    (90002, "invalid_request", 400, "tenant_unknown", False),
    (50020, "invalid_grant", 400, "org_internal", False),
    (50194, "invalid_request", 400, "org_internal", False),
    (70011, "invalid_scope", 400, "scope_refused", False),
    (650056, "invalid_client", 400, "scope_refused", False),
    (65005, "invalid_resource", 400, "scope_refused", False),
    (50196, "invalid_grant", 400, "throttled", False),
    (90055, "temporarily_unavailable", 429, "throttled", False),
    (90033, "temporarily_unavailable", 503, "provider_error", False),
    (90024, "server_error", 500, "provider_error", False),
    # Nobody knows the number: the name decides, and what it does not tell keeps its words.
    (999999, "invalid_grant", 400, "grant_rejected", True),
    (999999, "interaction_required", 400, "session_policy", False),
    (999999, "invalid_client", 401, "client_secret_wrong", False),
    (999999, "invalid_resource", 400, "scope_refused", False),
    (999999, "server_error", 500, "provider_error", False),
    (9002313, "invalid_request", 400, "provider_refused", False),
    (999999, "something_new", 400, "provider_refused", False),
)


@pytest.mark.parametrize(
    ("number", "error", "status", "cause", "dead"), NUMBERS, ids=[f"{row[0]}-{row[1]}" for row in NUMBERS]
)
def test_what_the_identity_platform_says(
    number: int, error: str, status: int, cause: str, dead: bool
) -> None:
    found = errors.oauth_error(oauth(number, NOBODY_KNOWS, error), status, "")
    assert (found.cause, found.grant_is_dead) == (cause, dead)
    assert found.words == f"AADSTS{number}: {NOBODY_KNOWS}"
    # Without the list the text tells the number.
    bare = {"error": error, "error_description": f"AADSTS{number}: {NOBODY_KNOWS}"}
    assert errors.oauth_error(bare, status, "").cause == cause


@pytest.mark.parametrize(
    ("suberror", "cause", "dead"),
    [
        ("bad_token", "grant_rejected", True),
        ("consent_required", "grant_revoked", True),
        ("basic_action", "session_policy", False),
        ("message_only", "admin_policy", False),
        ("protection_policy_required", "admin_policy", False),
        ("", "grant_rejected", True),
    ],
)
def test_a_number_that_nobody_knows_may_come_with_a_suberror(suberror: str, cause: str, dead: bool) -> None:
    found = errors.oauth_error(oauth(999999, NOBODY_KNOWS, suberror=suberror), 400, "")
    assert (found.cause, found.grant_is_dead) == (cause, dead)


@pytest.mark.parametrize(
    ("error", "description", "cause"),
    [
        ("access_denied", "", "consent_denied"),
        ("access_denied", "AADSTS65004: User declined to consent to access the app.", "consent_denied"),
        ("consent_required", "AADSTS65004: User declined to consent to access the app.", "consent_denied"),
        (
            "consent_required",
            "AADSTS65004: The resource owner or authorization server denied the request.",
            "admin_consent_needed",
        ),
        ("access_denied", "AADSTS90094: The grant requires admin permission.", "admin_consent_needed"),
        ("consent_required", "AADSTS90094: The grant requires admin permission.", "admin_consent_needed"),
        ("consent_required", "", "admin_consent_needed"),
        ("server_error", "", "provider_error"),
        ("temporarily_unavailable", "", "provider_error"),
        ("login_required", "", "session_policy"),
        ("something_new", "in new words", "provider_refused"),
        ("", "", "provider_refused"),
    ],
)
def test_what_comes_back_to_the_callback(error: str, description: str, cause: str) -> None:
    assert Microsoft().consent_cause(error, description) == cause


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (503, b"<h1>Service unavailable</h1>", "provider_error"),
        (429, b"<h1>Too many requests</h1>", "throttled"),
        (200, b"<h1>Welcome</h1>", "provider_garbage"),
        (400, {"error": {"code": "x", "message": "y"}}, "provider_garbage"),
        (400, ["invalid_grant"], "provider_garbage"),
        (400, {"error": "invalid_grant", "error_codes": {"a": 1}}, "grant_rejected"),
        (400, {"error": "invalid_grant", "error_codes": ["700082", None, True]}, "grant_rejected"),
        (429, {"error": "invalid_grant", "error_description": "AADSTS70000: x"}, "throttled"),
    ],
)
def test_answers_that_are_no_error_of_the_identity_platform(status: int, body: object, cause: str) -> None:
    given = answer(status, body)
    found = errors.oauth_error(given.json(), status, given.words())
    assert found.cause == cause
    assert found.grant_is_dead == (cause == "grant_rejected")


# (status, code, message, cause, whether it proves that nothing was sent)
TABLE: tuple[tuple[int, str, str, str, bool], ...] = (
    (
        400,
        "ErrorMimeContentInvalidBase64String",
        "Invalid base64 string for MIME content.",
        "message_refused",
        True,
    ),
    (400, "ErrorMimeContentInvalid", NOBODY_KNOWS, "message_refused", True),
    (400, "RequestBodyRead", NOBODY_KNOWS, "message_refused", True),
    (400, "BadRequest", NOBODY_KNOWS, "message_refused", True),
    (400, "ErrorInvalidRecipients", "At least one recipient isn't valid.", "recipient_refused", True),
    (400, "ErrorExceededMaxRecipientLimit", NOBODY_KNOWS, "recipient_refused", True),
    (400, "ErrorInvalidIdMalformed", "Id is malformed.", "not_found", True),
    (
        401,
        "InvalidAuthenticationToken",
        "Access token has expired or is not yet valid.",
        "access_refused",
        True,
    ),
    (401, "InvalidAuthenticationToken", "CompactToken validation failed", "access_refused", True),
    (401, "SomethingNew", NOBODY_KNOWS, "access_refused", True),
    (403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", "scope_missing", True),
    (403, "Authorization_RequestDenied", NOBODY_KNOWS, "scope_missing", True),
    (403, "ErrorSendAsDenied", NOBODY_KNOWS, "provider_refused", True),
    (403, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive", "mailbox_missing", True),
    (404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive", "mailbox_missing", True),
    (404, "ErrorMailboxNotEnabledForRESTAPI", NOBODY_KNOWS, "mailbox_missing", True),
    (404, "ErrorInvalidUser", "The requested user is invalid.", "account_gone", True),
    (404, "ErrorItemNotFound", "The specified object was not found in the store.", "not_found", True),
    (413, "RequestEntityTooLarge", NOBODY_KNOWS, "message_too_large", True),
    (413, "ErrorMessageSizeExceeded", NOBODY_KNOWS, "message_too_large", True),
    (429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", "throttled", True),
    (429, "TooManyRequests", "Please retry again later.", "throttled", True),
    (503, "TooManyRequests", "Please retry again later.", "throttled", True),
    (429, "SomethingNew", NOBODY_KNOWS, "throttled", True),
    (429, "ErrorServerBusy", NOBODY_KNOWS, "throttled", True),
    (
        429,
        "ErrorExceededMessageLimit",
        "Cannot send mail. Daily Message/Recipient limit",
        "daily_limit",
        True,
    ),
    (
        403,
        "ErrorExceededMessageLimit",
        "Cannot send mail. Daily Message/Recipient limit",
        "daily_limit",
        True,
    ),
    (
        400,
        "ErrorExceededMessageLimit",
        "Cannot send mail. Daily Message/Recipient limit",
        "daily_limit",
        True,
    ),
    (403, "ErrorSubmissionQuotaExceeded", NOBODY_KNOWS, "daily_limit", True),
    (
        554,
        "ErrorMessageSubmissionBlocked",
        VERDICT.format("HipSend, ShowTierUpgrade"),
        "sending_blocked",
        True,
    ),
    (403, "ErrorMessageSubmissionBlocked", VERDICT.format("HipNotify"), "sending_blocked", True),
    (403, "ErrorAccountSuspend", VERDICT.format("Suspend"), "sending_blocked", True),
    (403, "ErrorMessageSubmissionBlocked", VERDICT.format("RefuseQuota"), "daily_limit", True),
    (429, "ErrorMessageSubmissionBlocked", VERDICT.format("Throttle"), "throttled", True),
    (429, "ErrorMessageSubmissionBlocked", VERDICT.format("SomethingNew"), "sending_blocked", True),
    (403, "ErrorQuotaExceeded", NOBODY_KNOWS, "sending_blocked", True),
    (507, "ErrorQuotaExceeded", NOBODY_KNOWS, "sending_blocked", True),
    (500, "InternalServerError", NOBODY_KNOWS, "provider_error", False),
    (403, "InternalServerError", NOBODY_KNOWS, "provider_error", False),
    (500, "ErrorInternalServerTransientError", NOBODY_KNOWS, "provider_error", False),
    (503, "serviceNotAvailable", NOBODY_KNOWS, "provider_error", False),
    (504, "UnknownError", "", "provider_error", False),
    (509, "SomethingNew", NOBODY_KNOWS, "provider_error", False),
    (554, "SomethingNew", NOBODY_KNOWS, "provider_error", False),
    (409, "ErrorIrresolvableConflict", NOBODY_KNOWS, "provider_error", False),
    (400, "ErrorSomethingNew", NOBODY_KNOWS, "provider_refused", True),
    (403, "ErrorSomethingNew", NOBODY_KNOWS, "provider_refused", True),
)


@pytest.mark.parametrize(
    ("status", "code", "message", "cause", "certain"),
    TABLE,
    ids=[f"{row[0]}-{row[1]}-{row[3]}-{number}" for number, row in enumerate(TABLE)],
)
def test_what_graph_says_and_what_it_means(
    status: int, code: str, message: str, cause: str, certain: bool
) -> None:
    given = answer(status, graph(code, message))
    refusal = errors.graph_refusal(given)
    assert refusal is not None
    assert (refusal.cause, refusal.proves_not_sent, refusal.client_wide) == (cause, certain, False)
    assert refusal.words.startswith(f"{status} {code}")
    assert message[:40] in refusal.words
    result = Microsoft().judge_send(given)
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT if certain else Outcome.UNKNOWN, cause)


@pytest.mark.parametrize(
    ("status", "body", "cause", "outcome"),
    [
        (202, b"", "", Outcome.ACCEPTED),
        (202, b"\r\n", "", Outcome.ACCEPTED),
        (202, b"<h1>Welcome</h1>", "provider_garbage", Outcome.UNKNOWN),
        (202, {}, "provider_garbage", Outcome.UNKNOWN),
        (202, graph("ErrorInvalidRecipients"), "provider_garbage", Outcome.UNKNOWN),
        (200, b"", "provider_garbage", Outcome.UNKNOWN),
        (204, b"", "provider_garbage", Outcome.UNKNOWN),
        (200, {"id": "AAMk"}, "provider_garbage", Outcome.UNKNOWN),
        (401, b"<h1>Unauthorized</h1>", "access_refused", Outcome.NOT_SENT),
        (413, b"", "message_too_large", Outcome.NOT_SENT),
        (429, b"", "throttled", Outcome.NOT_SENT),
        (400, b"<h1>Bad request</h1>", "provider_refused", Outcome.NOT_SENT),
        (400, {"error": "invalid_grant"}, "provider_refused", Outcome.NOT_SENT),
        (408, b"", "provider_error", Outcome.UNKNOWN),
        (502, b"<h1>Bad gateway</h1>", "provider_error", Outcome.UNKNOWN),
        (554, b"", "provider_error", Outcome.UNKNOWN),
        (503, {"error": {"code": 503}}, "provider_error", Outcome.UNKNOWN),
    ],
)
def test_answers_to_a_send(status: int, body: object, cause: str, outcome: Outcome) -> None:
    result = Microsoft().judge_send(answer(status, body))
    assert (result.cause, result.outcome) == (cause, outcome)


def test_when_to_come_back() -> None:
    date = (clock.now() + timedelta(hours=2)).replace(microsecond=0)
    for header, seconds in (("300", 300.0), ("2.128", 2.128), (format_datetime(date, usegmt=True), 7200.0)):
        for given in (
            answer(429, graph("TooManyRequests"), {"Retry-After": header}),
            answer(503, graph("serviceNotAvailable"), {"Retry-After": header}),
            answer(429, b"", {"Retry-After": header}),
        ):
            refusal = errors.graph_refusal(given)
            assert refusal is not None
            assert refusal.retry_at is not None
            assert abs((refusal.retry_at - clock.now()).total_seconds() - seconds) < 2
            assert errors.graph_error(given).retry_at is not None
        told = errors.oauth_error(oauth(90055, NOBODY_KNOWS), 429, "", header)
        assert told.retry_at is not None
    for header in ("", "-5", "0", "soon", "1e9", "9" * 12, "Thu, 01 Jan 1970 00:00:00 GMT"):
        refusal = errors.graph_refusal(answer(429, b"", {"Retry-After": header}))
        assert refusal is not None
        assert refusal.retry_at is None


def test_a_time_is_told_in_utc() -> None:
    refusal = errors.graph_refusal(answer(429, b"", {"Retry-After": "60"}))
    assert refusal is not None
    assert isinstance(refusal.retry_at, datetime)
    assert refusal.retry_at.utcoffset() == UTC.utcoffset(None)
