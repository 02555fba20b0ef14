"""Keap's error bodies and what each means: one table for OAuth, one for its APIs and the gateway before them.

Sources: the API's specification (v2 `Error`, v1 a serialised exception), answers of the gateway that were recorded
(Apigee faults), and forum posts with bodies of the token endpoint. Status alone says little: the same dead refresh
token was seen as `invalid_grant` and as `invalid_request`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from truesend.providers.errors import ProviderError, Refusal
from truesend.providers.http import Answer, redact
from truesend.providers.keap import limits

# (error, pattern over the description) -> cause, whether only a new consent helps.
_OAUTH: tuple[tuple[str, str, str, bool], ...] = (
    # "Invalid refresh token" (infusionsoft-php#137, #228): used already, or unused for 45 days.
    ("invalid_grant", r"", "grant_rejected", True),
    # The same on a later gateway (integration.keap.com/t/82597).
    ("invalid_request", r"invalid refresh token", "grant_rejected", True),
    # Apigee's words: "ClientId is Invalid", "Invalid client identifier".
    ("invalid_client", r"client ?id", "client_unknown", False),
    ("invalid_client", r"", "client_secret_wrong", False),
    ("unauthorized_client", r"", "client_mismatch", True),
    ("access_denied", r"", "consent_denied", False),
    ("invalid_scope", r"", "scope_refused", False),
    ("redirect_uri_mismatch", r"", "redirect_mismatch", False),
    ("invalid_request", r"redirect", "redirect_mismatch", False),
    ("server_error", r"", "provider_error", False),
    ("temporarily_unavailable", r"", "provider_error", False),
)


def oauth_cause(error: str, description: str = "") -> tuple[str, bool]:
    """(cause, grant is dead) for an OAuth error; ``provider_refused`` for one nobody knows."""
    for name, pattern, cause, dead in _OAUTH:
        if name == error and re.search(pattern, description, re.IGNORECASE):
            return cause, dead
    return "provider_refused", False


def oauth_error(answer: Answer) -> ProviderError:
    """The error of a token endpoint's answer, in OAuth's form, the gateway's, or none."""
    body = answer.json()
    if isinstance(body, Mapping):
        # Apigee before OAuth: {"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"}.
        error = _text(body.get("error")) or _text(body.get("ErrorCode"))
        if error:
            description = _text(body.get("error_description")) or _text(body.get("Error"))
            cause, dead = oauth_cause(error, description)
            return ProviderError(
                cause, redact(f"{error}: {description}".strip(": "))[:300], grant_is_dead=dead
            )
    said = _read(body)
    words = redact(f"{answer.status} {said.words if said else answer.words()}".strip())[:300]
    if answer.status == 429:
        limit = limits.read(answer.headers)
        return ProviderError(limit.cause, words, retry_at=limit.until, client_wide=limit.client_wide)
    return ProviderError("provider_error" if answer.status >= 500 else "provider_garbage", words)


# (code of the gateway, pattern over the words, statuses or none for all) -> cause. First match wins.
_GATEWAY: tuple[tuple[str, str], ...] = (
    (r"access_?token|oauth\.v2\.\w*token", "access_refused"),
    (r"api_?key", "access_refused"),
    (r"policies\.ratelimit\.", "throttled"),
    (r"TooBigBody", "message_too_large"),
)
_WORDS: tuple[tuple[frozenset[int], str, str], ...] = (
    # The one message that the specification quotes.
    (frozenset({400}), r"attachment type is invalid", "message_refused"),
    (frozenset({400, 413}), r"attachment.*(size|large|exceed|maximum)", "message_too_large"),
    (
        frozenset({400, 403}),
        r"suspend|sending (is|was|has been) (disabled|blocked)|compliance",
        "sending_blocked",
    ),
    (frozenset({400, 404}), r"user_id|from_address|\bsender\b|\buser\b", "mailbox_missing"),
    (frozenset({400}), r"\bcontacts?\b|\bemail address", "recipient_refused"),
)
_BY_STATUS = {
    400: "message_refused",
    401: "access_refused",
    # A user's role at Keap, or an app that shuts the client out: their administrator in both cases.
    403: "admin_policy",
    404: "not_found",
    413: "message_too_large",
    429: "throttled",
}
# What a page of somebody in between cannot have meant otherwise.
_WITHOUT_A_BODY = frozenset({401, 413, 429})
_OPEN = frozenset({408, 409, 425})


@dataclass(frozen=True)
class _Said:
    """An error body: the gateway's code, if it is the gateway's, and the words."""

    code: str
    words: str


def _read(body: object) -> _Said | None:
    """The gateway's fault, v2's `Error{code, message, status}`, or v1's exception with a `message`."""
    if not isinstance(body, Mapping):
        return None
    fault = body.get("fault")
    if isinstance(fault, Mapping):
        detail = fault.get("detail")
        code = _text(detail.get("errorcode")) if isinstance(detail, Mapping) else ""
        words = _text(fault.get("faultstring"))
        return _Said(code or "fault", words or code) if code or words else None
    message = _text(body.get("message"))
    return _Said("", message) if message else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def api_refusal(answer: Answer) -> Refusal | None:
    """A recognised error body of a call to the API, or None. A 401, 413 or 429 is what it says in whatever words."""
    said = _read(answer.json())
    status = answer.status
    if 200 <= status < 400 and (said is None or not said.code):
        return None  # a `message` of a good answer is no error
    if said is None and status not in _WITHOUT_A_BODY:
        return None
    words = redact(f"{status} {said.words if said else answer.words()}".strip())[:300]
    cause = _cause(status, said)
    if cause == "throttled":
        limit = limits.read(answer.headers)
        return Refusal(limit.cause, words, True, limit.until, client_wide=limit.client_wide)
    if cause is None or status >= 500 or status in _OPEN:
        return Refusal(cause or "provider_error", words, False)
    return Refusal(cause, words, True)


def _cause(status: int, said: _Said | None) -> str | None:
    """None where it is a failure of Keap's own, under whatever status."""
    if said is not None and said.code:
        for pattern, cause in _GATEWAY:
            if re.search(pattern, said.code, re.IGNORECASE):
                return cause
        return _BY_STATUS.get(status) if status < 500 else None
    if said is not None:
        for statuses, pattern, cause in _WORDS:
            if status in statuses and re.search(pattern, said.words, re.IGNORECASE | re.DOTALL):
                return cause
    if status >= 500 or status in _OPEN:
        return None
    return _BY_STATUS.get(status, "provider_refused")


def api_error(answer: Answer) -> ProviderError:
    """Why a call failed, of any answer that is not what was asked for."""
    refusal = api_refusal(answer)
    if refusal is not None:
        return ProviderError(
            refusal.cause, refusal.words, retry_at=refusal.retry_at, client_wide=refusal.client_wide
        )
    cause = "provider_error" if answer.status >= 500 else "provider_garbage"
    return ProviderError(cause, f"{answer.status} {answer.words()}".strip())


_KEYED: Mapping[str, str] = {"access_refused": "key_refused", "project_limit": "daily_limit"}


def of_a_key(cause: str) -> str:
    """What a cause is where a Service Account Key was used: nothing renews it, and its limits are its own."""
    return _KEYED.get(cause, cause)


def keyed(error: ProviderError) -> ProviderError:
    """The same failure, of a call made with a Service Account Key."""
    return ProviderError(of_a_key(error.cause), error.words, retry_at=error.retry_at)


__all__ = ["api_error", "api_refusal", "keyed", "oauth_cause", "oauth_error", "of_a_key"]
