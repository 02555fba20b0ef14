"""Microsoft's error bodies and what each means: one table for the identity platform, one for Graph.

Identity platform: ``{"error", "error_description": "AADSTS700082: …", "error_codes": [700082], "suberror"?}``; the
number decides ("reference-error-codes" of the identity platform's documentation, and bodies seen), since texts change
and the same number comes under several names of ``error``.

Graph: ``{"error": {"code", "message", "innerError"}}``; the code decides before the status, which is at times one that
HTTP does not know (554 for an account that may not send, seen).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from truesend import clock
from truesend.providers import retry_after
from truesend.providers.errors import ProviderError, Refusal
from truesend.providers.http import Answer, redact

# AADSTS number -> cause, whether only a new consent helps. A policy can be lifted and an account switched on again:
# what stands in the way of the same grant does not end it.
_BY_NUMBER: dict[int, tuple[str, bool]] = {
    700082: ("grant_idle", True),  # "expired due to inactivity … inactive for 90.00:00:00"
    70008: ("grant_idle", True),
    50173: ("password_changed", True),  # "The user might have changed or reset their password"
    50132: ("password_changed", True),
    50133: ("password_changed", True),
    65001: ("grant_revoked", True),  # consent removed
    70043: ("session_policy", True),  # sign-in frequency
    70000: ("grant_rejected", True),  # malformed; of personal accounts every dead grant
    54005: ("grant_rejected", True),  # a code that was redeemed
    501481: ("grant_rejected", True),  # a verifier that does not match
    700005: ("grant_rejected", True),  # a code for another tenant
    50034: ("account_gone", True),  # does not exist in the directory
    50057: ("account_gone", False),  # disabled
    50074: ("mfa_required", False),
    50076: ("mfa_required", False),
    50078: ("mfa_required", False),
    50079: ("mfa_required", False),
    53000: ("admin_policy", False),  # the device does not comply
    53003: ("admin_policy", False),  # Conditional Access
    530032: ("admin_policy", False),  # a security policy of the tenant
    530035: ("admin_policy", False),
    90094: ("admin_consent_needed", False),
    90095: ("admin_consent_needed", False),
    50011: ("redirect_mismatch", False),
    700016: ("client_unknown", False),
    70001: ("client_unknown", False),
    7000112: ("admin_policy", False),  # disabled in the directory of the account, by its administrators
    7000215: ("client_secret_wrong", False),
    7000218: ("client_secret_wrong", False),  # none was sent
    7000222: ("client_secret_expired", False),
    90002: ("tenant_unknown", False),
    50020: ("org_internal", False),  # the account is of another tenant
    50194: ("org_internal", False),  # a single-tenant app at /common
    70011: ("scope_refused", False),
    65005: ("scope_refused", False),
    650056: ("scope_refused", False),
    650057: ("scope_refused", False),
    50196: ("throttled", False),  # "a client request loop"
    90055: ("throttled", False),
    90024: ("provider_error", False),
    90033: ("provider_error", False),
}
# For numbers nobody knows: (error, pattern over suberror) -> cause, whether only a new consent helps.
_BY_NAME: tuple[tuple[str, str, str, bool], ...] = (
    ("invalid_grant", r"consent_required", "grant_revoked", True),
    ("invalid_grant", r"basic_action|additional_action", "session_policy", False),
    ("invalid_grant", r"message_only|protection_policy_required", "admin_policy", False),
    ("invalid_grant", r"", "grant_rejected", True),
    ("interaction_required", r"", "session_policy", False),
    ("login_required", r"", "session_policy", False),
    ("access_denied", r"", "consent_denied", False),
    ("consent_required", r"", "admin_consent_needed", False),
    ("invalid_client", r"", "client_secret_wrong", False),
    ("unauthorized_client", r"", "client_unknown", False),
    ("invalid_scope", r"", "scope_refused", False),
    ("invalid_resource", r"", "scope_refused", False),
    ("temporarily_unavailable", r"", "provider_error", False),
    ("server_error", r"", "provider_error", False),
)
_DECLINED = 65004
_NUMBER = re.compile(r"\bAADSTS(\d{4,9})\b")
# Numbers of the case, which concern Microsoft's support alone, and no member.
_TRACES = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)


def oauth_cause(
    error: str, description: str = "", suberror: str = "", numbers: Iterable[object] = ()
) -> tuple[str, bool]:
    """(cause, grant is dead) for an error of the identity platform; ``provider_refused`` for one nobody knows."""
    told = [one for one in numbers if isinstance(one, int)]
    told += [int(one) for one in _NUMBER.findall(description)]
    for number in told:
        if number == _DECLINED:
            return _declined(error, description), False
        if number in _BY_NUMBER:
            return _BY_NUMBER[number]
    for name, pattern, cause, dead in _BY_NAME:
        if name == error and re.search(pattern, suberror):
            return cause, dead
    return "provider_refused", False


def _declined(error: str, description: str) -> str:
    """AADSTS65004: "User declined to consent" is the person's; ``consent_required`` else wants an administrator."""
    by_the_person = "user declined" in description.lower()
    return "admin_consent_needed" if error == "consent_required" and not by_the_person else "consent_denied"


def oauth_error(body: Any, status: int, fallback: str, header: str | None = None) -> ProviderError:
    """The error of a token endpoint's answer; ``fallback`` are its words when it is no OAuth error at all.

    ``header`` is its ``Retry-After``.
    """
    now = clock.now()
    at = retry_after.to_come((retry_after.of_header(header, now),), now)
    if isinstance(body, Mapping) and isinstance(body.get("error"), str):
        error, description = body["error"], str(body.get("error_description") or "")
        numbers = body.get("error_codes")
        cause, dead = oauth_cause(
            error,
            description,
            str(body.get("suberror") or ""),
            numbers if isinstance(numbers, list) else (),
        )
        if status == 429:
            cause, dead = "throttled", False
        words = redact(_TRACES.sub("", description) or error)[:300].strip()
        return ProviderError(cause, words, grant_is_dead=dead, retry_at=at)
    cause = "throttled" if status == 429 else "provider_error" if status >= 500 else "provider_garbage"
    return ProviderError(cause, f"{status} {fallback}".strip(), retry_at=at)


# Code of Graph or of Exchange behind it -> cause. (Graph "Resolve errors"; EWS ResponseCode; codes seen.)
_BY_CODE: dict[str, str] = {
    "InvalidAuthenticationToken": "access_refused",
    "ErrorAccessDenied": "scope_missing",
    "Authorization_RequestDenied": "scope_missing",
    "MailboxNotEnabledForRESTAPI": "mailbox_missing",
    "ErrorMailboxNotEnabledForRESTAPI": "mailbox_missing",
    "MailboxNotSupportedForRESTAPI": "mailbox_missing",
    "ErrorNonExistentMailbox": "mailbox_missing",
    "ErrorInvalidUser": "account_gone",
    "Request_ResourceNotFound": "account_gone",
    "ErrorItemNotFound": "not_found",
    "SyncStateNotFound": "not_found",
    "ResourceNotFound": "not_found",
    "SyncStateInvalid": "not_found",
    "resyncRequired": "not_found",
    "ErrorInvalidIdMalformed": "not_found",
    "ErrorMimeContentInvalidBase64String": "message_refused",
    "ErrorMimeContentInvalid": "message_refused",
    "ErrorInvalidRequest": "message_refused",
    "ErrorInvalidItemForOperationSendItem": "message_refused",
    "RequestBodyRead": "message_refused",
    "BadRequest": "message_refused",
    "ErrorInvalidRecipients": "recipient_refused",
    "ErrorExceededMaxRecipientLimit": "recipient_refused",
    "ErrorMessageSizeExceeded": "message_too_large",
    "ErrorExceededMessageLimit": "daily_limit",
    "ErrorExceededHourlyMessageLimit": "throttled",
    "ErrorSubmissionQuotaExceeded": "daily_limit",
    "ErrorMessageSubmissionBlocked": "sending_blocked",
    "ErrorMessageBlocked": "sending_blocked",
    "ErrorAccountSuspend": "sending_blocked",
    "ErrorQuotaExceeded": "sending_blocked",  # the mailbox is full, its copy of the mail has no room
    "TooManyRequests": "throttled",
    "ApplicationThrottled": "throttled",
}
# What the guard of outgoing mail has decided: "WASCL UserAction verdict is not None. Actual verdict is HipSend,
# ShowTierUpgrade." First match wins: whoever is blocked is no less so for being slowed down too.
_VERDICT = re.compile(r"WASCL UserAction verdict.*?Actual verdict is ([\w, ]+)", re.DOTALL)
_BY_VERDICT: tuple[tuple[str, str], ...] = (
    (r"HipSend|HipNotify|Suspend", "sending_blocked"),
    (r"RefuseQuota", "daily_limit"),
    (r"Throttle", "throttled"),
)
_BY_STATUS = {401: "access_refused", 413: "message_too_large", 429: "throttled"}
# What a 429 may say more exactly.
_LIMITS = frozenset({"daily_limit", "sending_blocked"})
# Its own failures prove nothing of a send, whatever the status.
_ITS_OWN_FAILURE = frozenset(
    {
        "InternalServerError",
        "ServiceUnavailable",
        "UnknownError",
        "ErrorInternalServerError",
        "ErrorInternalServerTransientError",
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxStoreUnavailable",
        "ErrorServerBusy",
        "ErrorTimeoutExpired",
    }
)


def graph_refusal(answer: Answer) -> Refusal | None:
    """A Graph error body read as what it means, or None. A 401, 413 or 429 is what it says in whatever words."""
    now = clock.now()
    at = retry_after.to_come((retry_after.of_header(answer.headers.get("Retry-After"), now),), now)
    body = answer.json()
    error = body.get("error") if isinstance(body, Mapping) else None
    code = error.get("code") if isinstance(error, Mapping) else None
    if not isinstance(error, Mapping) or not isinstance(code, str) or not code:
        cause = _BY_STATUS.get(answer.status)
        words = f"{answer.status} {answer.words()}".strip()
        return Refusal(cause, words, True, at) if cause else None
    message = str(error.get("message") or "")
    words = redact(f"{answer.status} {code}: {message}".strip(": "))[:300]
    known = _by_verdict(message) or _BY_CODE.get(code)
    if answer.status == 401:
        known = "access_refused"
    elif answer.status == 429 and known not in _LIMITS:
        known = "throttled"
    elif known is None and code not in _ITS_OWN_FAILURE:
        known = _BY_STATUS.get(answer.status)
    if known is not None:
        return Refusal(known, words, True, at)
    if code in _ITS_OWN_FAILURE or answer.status >= 500 or answer.status in {408, 409, 425}:
        return Refusal("provider_error", words, False, at)
    return Refusal("provider_refused", words, True, at)


def _by_verdict(message: str) -> str | None:
    said = _VERDICT.search(message)
    if said is None:
        return None
    return next((cause for pattern, cause in _BY_VERDICT if re.search(pattern, said[1])), "sending_blocked")


def graph_error(answer: Answer) -> ProviderError:
    """Why a call failed, of any answer that is not what was asked for."""
    refusal = graph_refusal(answer)
    if refusal is not None:
        return ProviderError(refusal.cause, refusal.words, retry_at=refusal.retry_at)
    cause = "provider_error" if answer.status >= 500 else "provider_garbage"
    return ProviderError(cause, f"{answer.status} {answer.words()}".strip())
