"""Every refusal of `/api/v1`, in one table: its code and status, what is said, what to do, and who can.

One cannot be raised without a fix and somebody to do it: :class:`Refusal` has no field that may be left out, and
:func:`document` is the only function that makes an `application/problem+json`. Pure, because pages, the API and the
stream of live events all answer with it, also while the database is down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from truesend import env

MEDIA_TYPE = "application/problem+json"
# Where a script reads what a request may hold and which addresses there are.
READ_HERE = "/api/v1/openapi.json"


class By(StrEnum):
    """Who can do what helps; the value is what is said where no name is known, or may be asked for."""

    CALLER = "whoever made this request"
    ROLES = "an owner or manager of the organization"
    OPERATOR = "who runs this installation"


@dataclass(frozen=True)
class Refusal:
    """One answer other than success. ``sentence``, ``label`` and ``url`` are said where nothing fits better."""

    code: str
    status: int
    sentence: str
    label: str
    url: str
    by: By = By.CALLER

    @property
    def fix(self) -> dict[str, str]:
        """What to do, as `fix` of an answer."""
        return {"label": self.label, "url": self.url}

    @property
    def who(self) -> list[dict[str, str]]:
        """Who can do it, by office only."""
        email = env.get("SUPPORT_EMAIL") if self.by is By.OPERATOR else None
        return [{"name": self.by.value, "email": email or ""}]


def document(
    refusal: Refusal,
    *,
    sentence: str = "",
    cause: str = "",
    fix: Mapping[str, str] | None = None,
    who: Sequence[Mapping[str, str]] = (),
    **more: Any,
) -> dict[str, Any]:
    """The body of the answer; what is not given is as the table says."""
    said = sentence or refusal.sentence
    return {
        "type": "about:blank",
        "title": said,
        "status": refusal.status,
        "code": refusal.code,
        "cause": cause or refusal.code,
        "sentence": said,
        "fix": dict(fix or refusal.fix),
        "who": [dict(one) for one in who] or refusal.who,
        **more,
    }


_READ = "Read what a request may hold"

ASKED_BY_THEM = Refusal(
    "asked_by_them",
    409,
    "Only they should take that back, or you if they told you so: then send `confirm=true`.",
    "Send `confirm=true` if they told you so",
    "/settings/suppression",
)
NO_ADDRESS = Refusal(
    "no_address",
    409,
    "This is no email address that can be written to.",
    "Send an address such as ines@example.com",
    READ_HERE,
)
BAD_REQUEST = Refusal("bad_request", 400, "The request cannot be read.", _READ, READ_HERE)
NOT_SIGNED_IN = Refusal(
    "not_signed_in", 401, "Send an API token as a bearer token.", "Make a token", "/account"
)
SECOND_FACTOR = Refusal(
    "second_factor_required",
    403,
    "Owners and managers of this organization need a second factor. Until you have set one up, tokens do nothing.",
    "Set up a second factor",
    "/account/second-factor",
)
FORBIDDEN = Refusal("forbidden", 403, "You may not do this.", "Ask an owner", "/account", By.ROLES)
NOT_FOUND = Refusal(
    "not_found",
    404,
    "There is nothing at this address, or it is not yours.",
    "Read which addresses there are",
    READ_HERE,
)
METHOD_NOT_ALLOWED = Refusal(
    "method_not_allowed",
    405,
    "This method is not possible here.",
    "Read which methods there are",
    READ_HERE,
)
CONTRADICTION = Refusal(
    "contradiction",
    409,
    "What was sent is not sent again: leave out `resend`.",
    "Answer again without `resend`",
    "/emails",
)
IDEMPOTENCY_MISMATCH = Refusal(
    "idempotency_mismatch",
    409,
    "This Idempotency-Key was used for another email. Send this one with a key of its own.",
    "See the email that was sent with this key",
    "/emails",
)
NOT_HELD = Refusal("not_held", 409, "Nothing of this email is held.", "See what became of it", "/emails")
NOT_PAUSED = Refusal(
    "not_paused", 409, "Nothing of this email is paused.", "See what became of it", "/emails"
)
NOT_READY = Refusal(
    "not_ready", 409, "This cannot be sent now.", "Try again later, or from another account", "/integration"
)
NOT_UNKNOWN = Refusal(
    "not_unknown", 409, "It is known what became of this delivery.", "See what became of it", "/emails"
)
REPLY_AMBIGUOUS = Refusal(
    "reply_ambiguous",
    409,
    "That email went as separate copies, each with a conversation of its own: name one of its people first in `to`.",
    "See whom it went to",
    "/emails",
)
REPLY_TO_NOTHING = Refusal(
    "reply_to_nothing",
    409,
    "Nothing of that email was sent yet, so there is no conversation to go on with.",
    "See what became of it",
    "/emails",
)
TOO_EARLY = Refusal("too_early", 409, "It may still arrive in Sent.", "Look again a little later", "/emails")
TOO_LATE = Refusal(
    "too_late", 409, "Nothing of this email waits any more.", "See what became of it", "/emails"
)
HOUR_PASSED = Refusal(
    "hour_passed", 409, "That hour has passed.", "Choose an hour that is still to come", "/emails"
)
TOO_LARGE = Refusal(
    "too_large",
    413,
    "Attachments may be 25 MB in all; this is more than fits.",
    "Send fewer or smaller files",
    READ_HERE,
)
INVALID = Refusal("invalid", 422, "The request cannot be read: send a JSON object.", _READ, READ_HERE)
SERVER_ERROR = Refusal(
    "server_error",
    500,
    "Something here went wrong. Nothing was lost; try again.",
    "Try again, or contact support",
    "/account#support",
    By.OPERATOR,
)
BUSY = Refusal(
    "busy",
    503,
    "The provider is slow to answer. Others are waiting for it too. Nothing was lost. Try again in a few seconds.",
    "Try again",
    "/integration",
)
DATABASE = Refusal(
    "database",
    503,
    "The database is not reachable.",
    "Try again, or contact support",
    "/account#support",
    By.OPERATOR,
)

REFUSALS: Mapping[str, Refusal] = {
    one.code: one for one in list(globals().values()) if isinstance(one, Refusal)
}
"""By code."""
