"""Which state of a recording may follow which. Pure; the database holds to the same pairs by a trigger."""

from __future__ import annotations

from collections.abc import Mapping

from truesend.crm.models import Status

_S = Status

FOLLOWS: Mapping[str, frozenset[str]] = {
    _S.WAITING: frozenset({_S.POSTING, _S.NO_CONTACT, _S.REFUSED, _S.STOPPED}),
    # Back to waiting where it is certain that nothing was noted.
    _S.POSTING: frozenset({_S.WAITING, _S.RECORDED, _S.REFUSED, _S.STOPPED}),
    # A late truth: its answer came after recording was turned off.
    _S.STOPPED: frozenset({_S.RECORDED}),
    _S.RECORDED: frozenset(),
    _S.NO_CONTACT: frozenset(),
    _S.REFUSED: frozenset(),
}
OPEN = (Status.WAITING, Status.POSTING)
"""What has not ended."""


def may_follow(old: str, new: str) -> bool:
    """Whether ``new`` may follow ``old``; staying the same always may."""
    return old == new or new in FOLLOWS[old]
