"""Which state may follow which, for emails and deliveries. Pure; the database holds to the same pairs by triggers.

A test compares the tables with what PostgreSQL lets through, over all pairs.
"""

from __future__ import annotations

from collections.abc import Mapping

from truesend.sending.models import DeliveryStatus, EmailStatus, Outcome

_D, _E = DeliveryStatus, EmailStatus

PAUSED = "paused"
"""What holds a copy that a person paused."""

# What was accepted, refused or cancelled stays so.
DELIVERY: Mapping[str, frozenset[str]] = {
    # To `unknown` only after a restore: the database that was restored cannot know what happened since.
    _D.QUEUED: frozenset({_D.SENDING, _D.REFUSED, _D.CANCELLED, _D.UNKNOWN}),
    _D.SENDING: frozenset({_D.ACCEPTED, _D.UNKNOWN, _D.REFUSED, _D.QUEUED}),
    # Looked up, answered by a person, or told by the worker that had been stopped: a late truth.
    _D.UNKNOWN: frozenset({_D.ACCEPTED, _D.QUEUED, _D.REFUSED, _D.CANCELLED}),
    _D.ACCEPTED: frozenset(),
    _D.REFUSED: frozenset(),
    _D.CANCELLED: frozenset(),
}

_AGAIN = frozenset({_E.QUEUED, _E.SENDING, _E.UNKNOWN, _E.HELD, _E.PAUSED})
_UNTRIED = frozenset({_E.DRAFT, _E.SCHEDULED, _E.FAILED, _E.CANCELLED})
_ENDS = frozenset({_E.SENT, _E.PARTLY, _E.FAILED, _E.CANCELLED})

# An email begins as a draft or goes straight into the queue. Only what has not been tried can be a draft again, and
# nothing becomes `sent` but by way of `sending` or `unknown`.
EMAIL: Mapping[str, frozenset[str]] = {
    _E.DRAFT: frozenset({_E.SCHEDULED, _E.QUEUED}),
    _E.SCHEDULED: (_AGAIN | _UNTRIED) - {_E.SCHEDULED},
    _E.QUEUED: (_AGAIN | _UNTRIED) - {_E.QUEUED},
    _E.HELD: (_AGAIN | _UNTRIED | {_E.PARTLY}) - {_E.HELD},
    _E.PAUSED: (_AGAIN | _UNTRIED | {_E.PARTLY}) - {_E.PAUSED},
    _E.SENDING: (_AGAIN | _ENDS) - {_E.SENDING},
    _E.UNKNOWN: (_AGAIN | _ENDS) - {_E.UNKNOWN},
    _E.SENT: frozenset(),
    _E.PARTLY: frozenset(),
    _E.FAILED: frozenset(),
    _E.CANCELLED: frozenset(),
}

# One try: open, then what it came to. Only an unknown can still turn out otherwise.
OUTCOME: Mapping[str, frozenset[str]] = {
    "": frozenset(Outcome.values),
    Outcome.UNKNOWN: frozenset({Outcome.ACCEPTED, Outcome.NOT_SENT}),
    Outcome.ACCEPTED: frozenset(),
    Outcome.NOT_SENT: frozenset(),
}


def may_follow(table: Mapping[str, frozenset[str]], old: str, new: str) -> bool:
    """Whether ``new`` may follow ``old``; staying the same always may."""
    return old == new or new in table[old]
