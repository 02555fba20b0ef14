"""Why a grant has ended, where the provider says no more than that it has. Pure.

Providers answer the same words to a permission that was withdrawn, that ran out, that nobody used, and to a key that
was used before. What we know of the grant tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Causes that name no reason of their own.
_VAGUE = frozenset({"grant_revoked", "grant_rejected"})
# A client in testing is given permissions for 7 days (Google, OAuth 2.0 guide: "Refresh token expiration"); the answer
# tells one second less. A longer time is one that the person chose.
_TESTING = timedelta(days=7, minutes=5)

# How a renewal ended that has no answer: a cause, or that nobody was left to receive it.
ENDED = "ended"
_HOW = {
    "provider_timeout": "got no answer in time",
    "provider_cut_off": "was cut off before the answer came",
    "provider_error": "was answered by a fault instead of a key",
    "provider_garbage": "was answered by something that is no key",
    ENDED: "was interrupted here before its answer was stored",
}
UNANSWERED = frozenset(_HOW) - {ENDED}
"""Causes after which the provider may have ended the key that was shown without giving us the next one."""


@dataclass(frozen=True)
class Grave:
    """A grant that is dead by its provider's answer, ``cause`` with its ``words``, and what is known of its life.

    ``used_at``: when it last worked. ``ends_at``: when the provider was to end it, where it told so. ``lost_at`` and
    ``lost_how``: of a renewal with this very key that was never answered. ``idle_days``: of the provider's contract.
    """

    provider: str
    cause: str
    words: str
    consented_at: datetime
    used_at: datetime
    ends_at: datetime | None = None
    lost_at: datetime | None = None
    lost_how: str = ""
    idle_days: int = 0


def reason(grave: Grave, now: datetime) -> tuple[str, str]:
    """(cause, words): the provider's own where it names a reason or we know none."""
    if grave.cause not in _VAGUE:
        return grave.cause, grave.words
    if grave.ends_at is not None and now >= grave.ends_at:
        told = f"The permission was given until {_when(grave.ends_at)}. {grave.words}"
        by_testing = grave.ends_at - grave.consented_at <= _TESTING
        return "testing_expired" if by_testing else grave.cause, told
    if grave.idle_days and now - grave.used_at >= timedelta(days=grave.idle_days):
        return "grant_idle", f"Last used {_when(grave.used_at)}. {grave.words}"
    if grave.lost_at is not None:
        how = _HOW.get(grave.lost_how, _HOW[ENDED])
        told = f"The renewal of {_when(grave.lost_at)} {how}"
        return "renewal_lost", f"{told}; now {grave.provider} says “{grave.words}”."
    return grave.cause, grave.words


def _when(moment: datetime) -> str:
    """“3 Dec 2026, 14:05 UTC”."""
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
