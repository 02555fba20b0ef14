"""A try in words, for a script: what was said at the time, and how what was unknown was cleared up."""

from __future__ import annotations

from datetime import UTC

from truesend.sending.models import Attempt, Outcome, SettledBy

# (by whom, accepted) -> what was found; SettledBy.WORKER writes words of its own.
_SETTLED = {
    (SettledBy.SENT, True): "Found in Sent",
    (SettledBy.SENT, False): "Not found in Sent, so nothing had left: looked up",
    (SettledBy.PERSON, True): "Somebody said that it was in Sent",
    (SettledBy.PERSON, False): "Somebody said that it was not in Sent",
    (SettledBy.WORKER, True): "The answer that it was accepted was recorded late",
    (SettledBy.WORKER, False): "The answer that it was not accepted was recorded late",
}


def words(attempt: Attempt) -> str:
    """The provider's words (or ours where it said none), and since it was settled by whom, and when."""
    if not attempt.settled_by or attempt.settled_at is None:
        return attempt.words
    found = _SETTLED[SettledBy(attempt.settled_by), attempt.outcome == Outcome.ACCEPTED]
    told = f"{found} at {attempt.settled_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
    return f"{told} At first: {attempt.words}" if attempt.words else told
