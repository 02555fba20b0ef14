"""Google's error bodies and what each means: one table for OAuth, one for the Gmail API.

Texts and reasons: Gmail API guide "Resolve errors", "Usage limits" (2026-04) and observed bodies; the same limit is
reported under 403 and 429, so the reason and the text decide, not the status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from truesend.providers.errors import ProviderError, Refusal
from truesend.providers.google.retry import retry_at
from truesend.providers.http import Answer, redact

# (error, pattern over subtype and description) -> cause, whether only a new consent helps.
# The administrator who forbids a grant can allow it again: that does not end it.
_OAUTH: tuple[tuple[str, str, str, bool], ...] = (
    ("invalid_grant", r"invalid_rapt|rapt_required", "session_policy", True),
    ("invalid_grant", r"deleted|disabled", "account_gone", True),
    ("invalid_grant", r"expired or revoked", "grant_revoked", True),
    ("invalid_grant", r"", "grant_rejected", True),
    ("admin_policy_enforced", r"", "admin_policy", False),
    ("org_internal", r"", "org_internal", False),
    ("access_denied", r"", "consent_denied", False),
    ("redirect_uri_mismatch", r"", "redirect_mismatch", False),
    ("invalid_client", r"not found", "client_unknown", False),
    ("invalid_client", r"", "client_secret_wrong", False),
    ("deleted_client", r"", "client_unknown", False),
    ("unauthorized_client", r"", "client_mismatch", True),
    ("invalid_scope", r"", "scope_refused", False),
    ("temporarily_unavailable", r"", "provider_error", False),
    ("server_error", r"", "provider_error", False),
)


def oauth_cause(error: str, description: str = "", subtype: str = "") -> tuple[str, bool]:
    """(cause, grant is dead) for an OAuth error; ``provider_refused`` for one nobody knows."""
    text = f"{subtype} {description}".lower()
    for name, pattern, cause, dead in _OAUTH:
        if name == error and re.search(pattern, text):
            return cause, dead
    return "provider_refused", False


def oauth_error(body: Any, status: int, fallback: str) -> ProviderError:
    """The error of a token endpoint's answer; ``fallback`` are its words when it is no OAuth error at all."""
    if isinstance(body, Mapping) and isinstance(body.get("error"), str):
        error = body["error"]
        description = str(body.get("error_description") or "")
        cause, dead = oauth_cause(error, description, str(body.get("error_subtype") or ""))
        return ProviderError(cause, redact(f"{error}: {description}".strip(": "))[:300], grant_is_dead=dead)
    if status == 429:
        # A limit in front of the token endpoint speaks as the APIs do, with its time in the text.
        error = body.get("error") if isinstance(body, Mapping) else None
        message = str(error.get("message") or "") if isinstance(error, Mapping) else ""
        said = redact(f"{status} {message or fallback}".strip())[:300]
        return ProviderError("throttled", said, retry_at=retry_at(message))
    if status >= 500:
        return ProviderError("provider_error", f"{status} {fallback}".strip())
    return ProviderError("provider_garbage", f"{status} {fallback}".strip())


# (reason or "", pattern over message, status and details) -> cause. First match wins.
_API: tuple[tuple[str, str, str], ...] = (
    ("", r"ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficient authentication scopes", "scope_missing"),
    ("insufficientPermissions", r"", "scope_missing"),
    ("", r"\(Mail sending\)", "daily_limit"),
    ("dailyLimitExceeded", r"", "project_limit"),
    ("", r"limit '[^']*per day' of service", "project_limit"),
    ("", r"Too many concurrent requests", "throttled"),
    ("userRateLimitExceeded", r"", "throttled"),
    ("rateLimitExceeded", r"", "throttled"),
    ("", r"RESOURCE_EXHAUSTED|Quota exceeded", "throttled"),
    ("domainPolicy", r"", "admin_policy"),
    ("accessNotConfigured", r"", "api_disabled"),
    ("authError", r"", "access_refused"),
    ("", r"UNAUTHENTICATED|Invalid Credentials|invalid authentication credentials", "access_refused"),
    ("failedPrecondition", r"", "mailbox_missing"),
    ("", r"FAILED_PRECONDITION|Mail service not enabled", "mailbox_missing"),
    ("notFound", r"", "not_found"),
    ("", r"NOT_FOUND|Requested entity was not found", "not_found"),
    ("uploadTooLarge", r"", "message_too_large"),
    ("", r"Recipient address required|Invalid (To|Cc|Bcc) header", "recipient_refused"),
    ("invalidArgument", r"", "message_refused"),
    ("badRequest", r"", "message_refused"),
)
_BY_STATUS = {401: "access_refused", 413: "message_too_large", 429: "throttled"}
_ITS_OWN_FAILURE = frozenset({"backendError", "internalError"})
# A limit of the whole client ("Queries per minute", without "per user"): every mailbox of this installation meets it.
_CLIENT_WIDE = re.compile(r"limit '[^']*per (?:minute|day)' of service")


def api_refusal(answer: Answer) -> Refusal | None:
    """A Gmail API error body (``{"error": {"code", "message", "errors": [{"reason"}], "status"}}``), or None.

    A 401, 413 or 429 is what it says in whatever words; a failure of Google's own proves nothing under any status.
    """
    body = answer.json()
    error = body.get("error") if isinstance(body, Mapping) else None
    header = answer.headers.get("Retry-After")
    if not isinstance(error, Mapping) or not isinstance(error.get("message"), str):
        cause = _BY_STATUS.get(answer.status)
        words = f"{answer.status} {answer.words()}".strip()
        return Refusal(cause, words, True, retry_at("", header)) if cause else None
    message = error["message"]
    listed = error.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], Mapping) else {}
    reason = str(first.get("reason") or "")
    haystack = f"{message} {error.get('status') or ''} {error.get('details') or ''}"
    words = redact(f"{answer.status} {message}")[:300]
    at = retry_at(message, header)
    if reason in _ITS_OWN_FAILURE:
        return Refusal("provider_error", words, False, at)
    for name, pattern, cause in _API:
        if (not name or name == reason) and (name or pattern) and re.search(pattern, haystack):
            wide = cause == "project_limit" or (cause == "throttled" and bool(_CLIENT_WIDE.search(message)))
            return Refusal(cause, words, True, at, client_wide=wide)
    if answer.status >= 500 or answer.status in {408, 409, 425}:
        return Refusal("provider_error", words, False, at)
    return Refusal(_BY_STATUS.get(answer.status, "provider_refused"), words, True, at)


def api_error(answer: Answer) -> ProviderError:
    """Why a reading failed, of any answer that is not what was asked for."""
    refusal = api_refusal(answer)
    if refusal is not None:
        return ProviderError(refusal.cause, refusal.words, retry_at=refusal.retry_at)
    cause = "provider_error" if answer.status >= 500 else "provider_garbage"
    return ProviderError(cause, f"{answer.status} {answer.words()}".strip())
