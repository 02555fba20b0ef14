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


def strongest(signals: Iterable[Signal]) -> Signal | None:
    """The signal that says most, the latest of equals; ``None`` when none says anything."""
    telling = [signal for signal in signals if rank(signal)]
    return max(telling, key=lambda signal: (rank(signal), signal.at, signal.id or 0), default=None)


def headline(signals: Iterable[Signal]) -> Headline | None:
    """The words for a list, or ``None`` when there is nothing to tell."""
    everything = [signal for signal in signals if not signal.struck]
    best = strongest(everything)
    if best is None:
        return None
    by_rank = {6: "Answered", 5: "Clicked", 4: "Opened", 3: "Cannot know", 2: "Only machines"}
    level = rank(best)
    return Headline(
        by_rank[level], _sentence(level, best, everything), "good" if level >= 4 else "quiet", best
    )


def _sentence(level: int, best: Signal, signals: list[Signal]) -> str:
    if level == 6:
        return "A person answered"
    if level == 5:
        clicks = [one for one in signals if rank(one) == 5 and one.link == best.link]
        name = best.link_label or best.link_target
        return f"{name}, {_times(sum(one.count for one in clicks))}" if name else "By a person"
    if level == 4:
        return "By a person"
    if level == 3:
        return _doubt(best, signals)
    links = {one.link for one in signals if one.kind == Signal.Kind.CLICK}
    if links and best.klass == Signal.Klass.SCANNER:
        return "A security gateway clicked " + ("one link" if len(links) == 1 else f"{len(links)} links")
    return "Fetched by machines so far"


def _doubt(best: Signal, signals: list[Signal]) -> str:
    if any(one.klass == Signal.Klass.PROXY for one in signals):
        return "Apple Mail hides openings; no click yet"
    if best.klass == Signal.Klass.PERSON:
        return f"Perhaps opened ({best.confidence:.0%}); no click yet"
    return "Something fetched the mail; not enough to tell who"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
