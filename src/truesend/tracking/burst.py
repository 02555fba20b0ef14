"""Bursts: several links of one mail fetched faster than anybody reads. Crowds: one link from very many. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from truesend.tracking.rules import Rules


@dataclass(frozen=True, slots=True)
class Burst:
    """Clicks on ``links`` distinct links between ``start`` and ``end``; ``members`` are their positions."""

    start: datetime
    end: datetime
    links: int
    members: frozenset[int]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.start).total_seconds()


def find_bursts(clicks: Sequence[tuple[int, datetime, int | None]], links: int, rules: Rules) -> list[Burst]:
    """All bursts among ``(position, time, link)`` of a mail with ``links`` links; overlapping ones join."""
    ordered = sorted(clicks, key=lambda click: (click[1], click[0]))
    spans: list[tuple[int, int]] = []
    for start in range(len(ordered)):
        end = _reach(ordered, start, links, rules)
        if end is None:
            continue
        if spans and spans[-1][1] >= start:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    found = []
    for start, end in spans:
        inside = ordered[start : end + 1]
        found.append(
            Burst(
                inside[0][1],
                inside[-1][1],
                len({link for _, _, link in inside}),
                frozenset(position for position, _, _ in inside),
            )
        )
    return found


def _reach(
    ordered: Sequence[tuple[int, datetime, int | None]], start: int, links: int, rules: Rules
) -> int | None:
    """The last click of a burst that begins with the click at ``start``, or ``None``."""
    reach: int | None = None
    seen: set[int | None] = set()
    for at in range(start, len(ordered)):
        passed = (ordered[at][1] - ordered[start][1]).total_seconds()
        if passed > max(rules.burst_two, rules.burst_all):
            break
        seen.add(ordered[at][2])
        two = len(seen) >= 2 and passed <= rules.burst_two
        everything = links >= rules.burst_all_links and len(seen) >= links
        if two or (everything and passed <= rules.burst_all):
            reach = at
    return reach


def find_crowds(
    clicks: Iterable[tuple[int, datetime, int | None, str]], size: int, seconds: float
) -> dict[int, int]:
    """By position, from how many addresses its link was followed within ``seconds``, where these are ``size``.

    ``clicks``: ``(position, time, link, address)``.
    """
    by_link: dict[int | None, list[tuple[datetime, int, str]]] = defaultdict(list)
    for position, at, link, address in clicks:
        by_link[link].append((at, position, address))
    most: dict[int, int] = {}
    for ordered in map(sorted, by_link.values()):
        inside: Counter[str] = Counter()
        start = told = 0
        for end, (at, _, address) in enumerate(ordered):
            inside[address] += 1
            while (at - ordered[start][0]).total_seconds() > seconds:
                first = ordered[start][2]
                inside[first] -= 1
                if not inside[first]:
                    del inside[first]
                start += 1
            if len(inside) < size:
                continue
            for one in range(max(start, told), end + 1):
                most[ordered[one][1]] = len(inside)
            told = end + 1
    return most
