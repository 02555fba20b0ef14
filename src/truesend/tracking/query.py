"""Reading signals: those of deliveries, the one that says most, and the words for a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from truesend.tracking.models import Signal

COUNTS_FROM = 0.8
"""Confidence from which an open by a person counts in headlines and sums (design §6)."""

DOUBT = 3
"""Rank from which a signal may be a person's."""

Tone = Literal["good", "quiet"]


@dataclass(frozen=True, slots=True)
class Headline:
    """The word of a list's status column, a sentence beside it, and the signal it rests on."""

    word: str
    sentence: str
    tone: Tone
    signal: Signal


def signals_of(delivery_ids: Iterable[UUID]) -> list[Signal]:
    """All signals of deliveries, newest first, struck ones included."""
    return list(Signal.objects.filter(delivery__in=list(delivery_ids)).order_by("-at", "-id"))


def counts_as_opened(signal: Signal) -> bool:
    """Whether it shows that a person opened the mail: a click or a reply implies it."""
    if signal.struck:
        return False
    if signal.kind == Signal.Kind.REPLY:
        return True
    if signal.klass != Signal.Klass.PERSON:
        return False
    return signal.kind == Signal.Kind.CLICK or (
        signal.kind == Signal.Kind.OPEN and signal.confidence >= COUNTS_FROM
    )


def rank(signal: Signal) -> int:
    """How much a signal says; 0 is nothing. Reply > click > open by a person > doubt > machines > self."""
    if signal.struck:
        return 0
    if signal.kind == Signal.Kind.REPLY:
        return 6
    if signal.kind not in {Signal.Kind.OPEN, Signal.Kind.CLICK}:
        return 0
    if counts_as_opened(signal):
        return 5 if signal.kind == Signal.Kind.CLICK else 4
    if signal.klass in {Signal.Klass.PERSON, Signal.Klass.PROXY, Signal.Klass.UNKNOWN}:
        return DOUBT
    return 0 if signal.klass == Signal.Klass.SELF else 2


@dataclass(frozen=True, slots=True)
class Told:
    """What the signals of an email come to: how much is known (:func:`rank`), the signal that says it, and sums.

    ``opened``, ``clicked`` and ``answered`` count copies; ``clicks`` those by persons on the link of ``best``,
    ``scanned`` the links of its copy that anything clicked; ``proxied`` whether a privacy proxy fetched.
    """

    level: int
    best: Signal
    opened: int
    clicked: int
    answered: int
    clicks: int
    scanned: int
    proxied: bool


_TOLD = """
SELECT signal.*, tally.email AS mail, tally.level, tally.opened, tally.clicked, tally.answered, tally.clicks,
       tally.scanned, tally.proxied
  FROM tracking_emailtally AS tally JOIN tracking_signal AS signal ON signal.id = tally.best
 WHERE tally.email = ANY(%s) AND tally.level > 0
"""
_COUNTED = ("level", "opened", "clicked", "answered", "clicks", "scanned", "proxied")


def told_of(emails: Iterable[UUID]) -> dict[UUID, Told]:
    """What is known of each email of which anything is, in one query for all of them."""
    found = Signal.objects.raw(_TOLD, [list(emails)])
    return {
        one.mail: Told(best=one, **{name: getattr(one, name) for name in _COUNTED})  # type: ignore[attr-defined]
        for one in found
    }


def headline(told: Told | None, *, copies: int = 1, people: int = 1) -> Headline | None:
    """The words for a list, or ``None`` when there is nothing to tell.

    ``copies`` is how many were sent apart, ``people`` how many share the one that was not.
    """
    if told is None or not told.level:
        return None
    by_rank = {6: "Answered", 5: "Clicked", 4: "Opened", 3: "Cannot know", 2: "Only machines"}
    tone: Tone = "good" if told.level >= 4 else "quiet"
    sentence = _numbers(told) if copies > 1 and told.level >= 4 else _sentence(told)
    if people > 1 and told.level >= 4:
        sentence += f", one of {people} people"
    return Headline(by_rank[told.level], sentence, tone, told.best)


def _numbers(told: Told) -> str:
    counted = ((told.answered, "answered"), (told.clicked, "clicked"), (told.opened, "opened by a person"))
    return " · ".join(f"{number:,} {what}" for number, what in reversed(counted) if number)


def _sentence(told: Told) -> str:
    best = told.best
    if told.level == 6:
        return "A person answered"
    if told.level == 5:
        name = best.link_label or best.link_target
        return f"{name}, {_times(told.clicks)}" if name else "By a person"
    if told.level == 4:
        return "By a person"
    if told.level == 3:
        return _doubt(told)
    if told.scanned and best.klass == Signal.Klass.SCANNER:
        return "A security gateway clicked " + ("one link" if told.scanned == 1 else f"{told.scanned} links")
    return "Fetched by machines so far"


def _doubt(told: Told) -> str:
    if told.proxied:
        return "Apple Mail hides openings; no click yet"
    if told.best.klass == Signal.Klass.PERSON:
        return f"Perhaps opened ({told.best.confidence:.0%}); no click yet"
    return "Something fetched the mail; not enough to tell who"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")
