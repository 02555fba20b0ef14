"""The timeline's entries: what people did one by one, what machines did in one line, and the tries of sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from truesend.tracking import query
from truesend.tracking.history import BEGINNING, END, Fold, History, Place
from truesend.tracking.models import Signal
from truesend.web.places import times

_CERTAIN = 0.95
_MACHINES = frozenset({Signal.Klass.SCANNER, Signal.Klass.PREFETCH})
_NOT_COUNTED = " Not counted."
# What is no look: (icon, state, title).
_OTHERS: Mapping[str, tuple[str, str, str]] = {
    Signal.Kind.REPLY: ("reply", "ok", "Replied"),
    Signal.Kind.AUTO_REPLY: ("reply", "mute", "Answered by itself"),
    Signal.Kind.BOUNCE: ("bad", "bad", "Bounced"),
    Signal.Kind.DELAY: ("warn", "warn", "Delayed"),
    Signal.Kind.UNSUBSCRIBE: ("none", "mute", "Unsubscribed"),
}


@dataclass(frozen=True, slots=True)
class Whose:
    """Who may be meant by a signal: ``names`` by copy where there are several, else the ``people`` of the only one.

    ``links`` are the tracked links of the email, to know when all of them were fetched; ``by_address`` are the names of
    its recipients.
    """

    names: Mapping[UUID, str]
    people: int
    links: int
    by_address: Mapping[str, str] = field(default_factory=dict)

    def of(self, delivery: UUID | None) -> str:
        """“Ines Moreau”, “One of 3 people”; empty where everybody knows who it was."""
        if delivery is not None and delivery in self.names:
            return self.names[delivery]
        return f"One of {self.people} people" if self.people > 1 and not self.names else ""

    def of_signal(self, one: Signal) -> str:
        """The same; who is known by address is named."""
        if one.recipient and self.people > 1 and not self.names:
            return self.by_address.get(one.recipient.lower(), one.recipient)
        return self.of(one.delivery)


def entries(
    found: History, tries: Sequence[dict[str, Any]], whose: Whose, before: Place | None
) -> list[dict[str, Any]]:
    """The items of partials/timeline.html, newest first; of the tries those that belong on this page."""
    newest, oldest = (before or BEGINNING).at, (found.older or END).at
    told = [
        *(_signal(one, whose) for one in found.signals),
        *(_fold(one, whose) for one in found.folds),
        *(one for one in tries if oldest <= one["at"] < newest),
    ]
    return sorted(told, key=lambda one: one["at"], reverse=True)


_CANNOT_KNOW = frozenset({Signal.Klass.PROXY, Signal.Klass.UNKNOWN})


def _signal(one: Signal, whose: Whose) -> dict[str, Any]:
    icon, state, title = _shown(one)
    who, reason = whose.of_signal(one), one.reason.removesuffix(f" One of {whose.people} recipients.")
    by_name = one.klass == Signal.Klass.PERSON or one.kind in _OTHERS
    if who and by_name:
        title = f"{who} {title[:1].lower()}{title[1:]}"
    tail = f" {who}." if who and not by_name else ""
    repeated = f" {times(one.count).capitalize()}." if one.count > 1 else ""
    struck = "You struck it: not counted. " if one.struck else ""
    return {
        "icon": icon,
        "state": "mute" if one.struck else state,
        "title": title,
        # How sure it is that nobody can know helps nobody.
        "confidence_label": None if one.klass in _CANNOT_KNOW else _confidence(one.confidence),
        "sentence": f"{struck}{reason}{repeated}{tail}",
        "at": one.at,
        "signal": str(one.pk),
        "struck": one.struck,
        "link": one.link,
        "button": "Unstrike" if one.struck else "Strike" if _counts(one) else "",
    }


def _counts(one: Signal) -> bool:
    """Whether there is anything to strike: a machine's fetch counts nowhere as it is, and whoever unsubscribed did."""
    came_back = {Signal.Kind.BOUNCE, Signal.Kind.DELAY, Signal.Kind.AUTO_REPLY}
    return query.rank(one) >= query.DOUBT or one.kind in came_back


def _fold(one: Fold, whose: Whose) -> dict[str, Any]:
    click = one.kind == Signal.Kind.CLICK
    fetched = _fetched(one, whose) if click else "the pictures"
    if one.klass == Signal.Klass.SELF:
        title, icon = (f"You followed {fetched}", "link") if click else ("You looked", "eye")
    else:
        title, icon = f"Fetched {fetched}", "bot"
    reason, rest = one.reason.removesuffix(_NOT_COUNTED), ""
    if one.times > 1:
        rest += f" {one.times:,} {'times' if one.klass == Signal.Klass.SELF else 'fetches'} in all."
    if one.copies > 1:
        rest += f" In {one.copies:,} copies."
    elif who := whose.of(one.delivery) if whose.names else "":
        rest += f" {who}."
    return {
        "icon": icon,
        "state": "mute",
        "title": title,
        "confidence_label": _confidence(one.confidence),
        "sentence": f"{reason}{rest}{_NOT_COUNTED}",
        "at": one.at,
        "signal": str(one.id),
        "struck": False,
        "link": one.link,
        "button": "",
    }


def _fetched(one: Fold, whose: Whose) -> str:
    if one.links == 1:
        return f"“{one.link_name or 'a link'}”"
    return "all links" if one.links >= whose.links > 0 else f"{one.links} links"


def _confidence(value: float) -> str:
    return "certain" if value >= _CERTAIN else f"{value:.0%}".replace("%", " %")


def _shown(one: Signal) -> tuple[str, str, str]:
    """(icon, state, title) of a signal that stands alone."""
    if one.kind in _OTHERS:
        return _OTHERS[one.kind]
    click = one.kind == Signal.Kind.CLICK
    if one.klass in _MACHINES:
        return "bot", "mute", f"Fetched {_link(one)}" if click else "Fetched the pictures"
    if one.klass == Signal.Klass.PROXY:
        return "eye", "mute", "Pictures loaded ahead"
    if one.klass == Signal.Klass.SELF:
        return ("link" if click else "eye"), "mute", f"You followed {_link(one)}" if click else "You looked"
    if one.klass == Signal.Klass.UNKNOWN:
        return (
            ("link" if click else "eye"),
            "mute",
            f"Perhaps clicked {_link(one)}" if click else "Perhaps opened",
        )
    return ("link", "ok", f"Clicked {_link(one)}") if click else ("eye", "ok", "Opened")


def _link(one: Signal) -> str:
    return f"“{one.link_label or one.link_target or 'a link'}”"
