"""The integrations page as a whole: which connections stand open as cards, which are lines, and in what order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from truesend.connections.causes import Who
from truesend.connections.describe import Description, account_label, people_who
from truesend.connections.models import Kind
from truesend.connections.verdict import Verdict
from truesend.organizations import rights
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.web.cards import cards, line
from truesend.web.gate import names

# So few all stand open. Of more, so many of those that need somebody do, and the rest are lines.
FEW, OPEN = 6, 3
# A page holds so many lines; a search finds the others.
MOST = 400

_ORDER = {Verdict.BROKEN: 0, Verdict.ATTENTION: 1, Verdict.WORKING: 2, Verdict.UNPROVEN: 3}
_NEEDS = (Verdict.BROKEN, Verdict.ATTENTION)
# key -> (label, verdicts)
_GROUPS: Mapping[str, tuple[str, tuple[Verdict, ...]]] = {
    "needs": ("Needs you", (Verdict.BROKEN,)),
    "held": ("Held up", (Verdict.ATTENTION,)),
    "unproven": ("Not proved yet", (Verdict.UNPROVEN,)),
    "working": ("Working", (Verdict.WORKING,)),
}

# Where some of a group stand open above.
_MORE = {"needs": "More that need you", "held": "More that are held up"}


@dataclass(frozen=True)
class Wanted:
    """What of them is to be seen: words in the address, the provider or the owner's name, and a group."""

    words: str = ""
    group: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """From a query string; what it does not know is left out."""
        words = query.get("q", "").replace("\x00", "").strip()[:200]
        group = query.get("show", "")
        return cls(words, group if group in _GROUPS else "")

    def query(self) -> str:
        """The same as a query string, with its question mark; empty where everything is wanted."""
        asked = {"q": self.words, "show": self.group}
        text = urlencode({name: value for name, value in asked.items() if value})
        return f"?{text}" if text else ""

    def fits(self, described: Description) -> bool:
        """Whether one is among them."""
        if self.group and described.verdict.verdict not in _GROUPS[self.group][1]:
            return False
        connection = described.connection
        shared = "shared" if connection.kind == Kind.ORGANIZATION else "yours"
        text = f"{account_label(connection)} {connection.display_name} {described.provider_name} {shared}".casefold()
        return all(word in text for word in self.words.casefold().split())


def page(member: Member, connected: Sequence[Description], wanted: Wanted) -> dict[str, Any]:
    """Everything the list of cards says: {cards, groups, many, filters, query, show, live_url, hidden}.

    ``cards`` stand open, ``groups`` are [{key, label, count, lines}] with ``count`` in words; ``hidden`` is how many
    more there are.
    """
    ordered = sorted(connected, key=lambda one: _ORDER[one.verdict.verdict])  # stable: the oldest first
    many = len(ordered) > FEW
    if not many:
        wanted = Wanted()
    found = [one for one in ordered if wanted.fits(one)]
    if many:
        troubled = [one for one in found if one.verdict.verdict in _NEEDS]
        standing = troubled[:OPEN]
    else:
        standing = found
    lines = found[len(standing) : len(standing) + MOST]
    return {
        "cards": cards(member, standing),
        "groups": _groups(member, lines, found),
        "many": many,
        "total": len(ordered),
        "filters": _filters(ordered, wanted) if many else [],
        "query": wanted.words,
        "show": wanted.group,
        "live_url": f"/integration/cards{wanted.query()}",
        "hidden": len(found) - len(standing) - len(lines),
    }


def _groups(
    member: Member, lines: Sequence[Description], found: Sequence[Description]
) -> list[dict[str, Any]]:
    groups = []
    for key, (label, verdicts) in _GROUPS.items():
        own = [line(member, one) for one in lines if one.verdict.verdict in verdicts]
        count = sum(one.verdict.verdict in verdicts for one in found)
        if own:
            heading = _MORE.get(key, label) if len(own) < count else label
            rest = f"{len(own)} of {count}" if len(own) < count else str(count)
            groups.append({"key": key, "label": heading, "count": rest, "lines": own})
    return groups


def _filters(ordered: Sequence[Description], wanted: Wanted) -> list[dict[str, Any]]:
    everything = [{"label": "All", "count": len(ordered), "key": "", "on": not wanted.group}]
    return everything + [
        {"label": label, "count": count, "key": key, "on": wanted.group == key}
        for key, (label, verdicts) in _GROUPS.items()
        if (count := sum(one.verdict.verdict in verdicts for one in ordered)) or wanted.group == key
    ]


def connect(member: Member, connected: Sequence[Description]) -> dict[str, Any]:
    """Who an account may be connected for, and every provider there is: {kinds, asks, who, allowed, providers}.

    ``kinds`` are [(value, label)], the first chosen; ``asks`` are the questions to those who may connect a shared one,
    one to each provider that is set up, and ``who`` names them.
    """
    kinds = [
        (kind, label)
        for kind, label in (
            (Kind.PERSONAL, "me: only I send from it"),
            (Kind.ORGANIZATION, f"everyone in {member.organization.name}"),
        )
        if not rights.connects(member, kind)
    ]
    found = _providers(connected)
    asks = bool(rights.connects(member, Kind.ORGANIZATION))
    ready = [one for one in found if one["configured"]] if asks else []
    return {
        "kinds": kinds,
        "asks": [
            {"label": f"Ask for a {one['name']} account", "url": f"/oauth/{one['key']}/ask", "method": "get"}
            for one in ready
        ],
        "who": names(people_who(Who.OWNER, member)) if ready else "",
        "allowed": member.organization.personal_connections_allowed,
        "providers": found,
    }


def _providers(connected: Sequence[Description]) -> list[dict[str, Any]]:
    counts = Counter(one.connection.provider for one in connected)
    return [
        {
            "key": adapter.key,
            "name": adapter.name,
            "configured": adapter.is_configured(),
            "start_url": f"/oauth/{adapter.key}/start",
            "connected": _connected(counts[adapter.key]),
            "gives_all": adapter.consents_to_all,
        }
        for adapter in registry.PROVIDERS.values()
    ]


def _connected(count: int) -> str:
    if not count:
        return ""
    return f"{number(count)} {'is' if count == 1 else 'are'} connected; you can add more"


def summary(connected: Sequence[Description]) -> str:
    """“One works, one is not proved yet, one needs you.”"""
    if not connected:
        return "Connect the account you send from."
    words = {
        Verdict.WORKING: ("works", "work"),
        Verdict.UNPROVEN: ("is not proved yet", "are not proved yet"),
        Verdict.ATTENTION: ("is held up", "are held up"),
        Verdict.BROKEN: ("needs you", "need you"),
    }
    counts = Counter(one.verdict.verdict for one in connected)
    parts = [
        f"{number(counts[verdict])} {one if counts[verdict] == 1 else many}"
        for verdict, (one, many) in words.items()
        if counts[verdict]
    ]
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def number(count: int) -> str:
    """A small number as a word."""
    names = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return names[count] if count < len(names) else str(count)
