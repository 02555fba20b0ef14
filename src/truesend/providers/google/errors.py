"""Google's error bodies and what each means: one table for OAuth, one for the Gmail API.

Texts and reasons: Gmail API guide "Resolve errors", "Usage limits" (2026-04) and observed bodies; the same limit is
reported under 403 and 429, so the reason and the text decide, not the status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from truesend.providers.errors import ProviderError, Refusal
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
    if status >= 500 or status == 429:
        return ProviderError("provider_error", f"{status} {fallback}".strip())
    return ProviderError("provider_garbage", f"{status} {fallback}".strip())


# (reason or "", pattern over message, status and details) -> cause. First match wins.
_API: tuple[tuple[str, str, str], ...] = (
    ("", r"ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficient authentication scopes", "scope_missing"),
    ("insufficientPermissions", r"", "scope_missing"),
    ("", r"\(Mail sending\)", "daily_limit"),
    ("dailyLimitExceeded", r"", "project_limit"),
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
    ("", r"Recipient address required|Invalid (To|Cc|Bcc) header", "recipient_refused"),
    ("invalidArgument", r"", "message_refused"),
    ("badRequest", r"", "message_refused"),
)
_RETRY_AFTER = re.compile(r"Retry after\s+(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z", re.IGNORECASE)


def api_refusal(answer: Answer) -> Refusal | None:
    """A Gmail API error body (``{"error": {"code", "message", "errors": [{"reason"}], "status"}}``), or None."""
    body = answer.json()
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping) or not isinstance(error.get("message"), str):
        return None
    message = error["message"]
    listed = error.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], Mapping) else {}
    reason = str(first.get("reason") or "")
    haystack = f"{message} {error.get('status') or ''} {error.get('details') or ''}"
    for name, pattern, cause in _API:
        if (not name or name == reason) and (name or pattern) and re.search(pattern, haystack):
            return Refusal(cause, redact(f"{answer.status} {message}")[:300], True, retry_at(message))
    if answer.status >= 500 or answer.status in {408, 409, 425}:
        return Refusal("provider_error", redact(f"{answer.status} {message}")[:300], False)
    return Refusal("provider_refused", redact(f"{answer.status} {message}")[:300], True)


def api_error(answer: Answer) -> ProviderError:
    """Why a reading failed, of any answer that is not what was asked for."""
    refusal = api_refusal(answer)
    if refusal is not None:
        return ProviderError(refusal.cause, refusal.words, retry_at=refusal.retry_at)
    cause = "provider_error" if answer.status >= 500 else "provider_garbage"
    return ProviderError(cause, f"{answer.status} {answer.words()}".strip())


def retry_at(message: str) -> datetime | None:
    """The time Google writes into the text of a limit ("User-rate limit exceeded.  Retry after <time>")."""
    found = _RETRY_AFTER.search(message)
    if not found:
        return None
    try:
        return datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
