"""The links of an email in words, each with who clicked it: what the badges on its picture show, to be read. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truesend.tracking.clicks import LinkClicks

# Up to so many the list is open from the start.
_FEW = 6
_NONE = LinkClicks(0, 0, False, False)


def told(
    tracked: Sequence[Mapping[str, Any]], clicks: Mapping[int, LinkClicks], copies: int, people: int
) -> dict[str, Any]:
    """Context of partials/links.html: {summary, open, rows: [{number, text, target, clicks, words}]}.

    ``tracked`` as in `Delivery.links`, ``copies`` it was sent in, ``people`` it was sent to.
    """
    rows = [
        {
            "number": link["index"],
            "text": link["text"] or link["target"],
            "target": link["target"],
            "clicks": (found := clicks.get(link["index"], _NONE)).times,
            "words": words(found, copies, people),
        }
        for link in tracked
    ]
    clicked = sum(row["clicks"] > 0 for row in rows)
    if len(rows) == 1:
        summary = "One link, clicked" if clicked else "One link, not clicked yet"
    else:
        summary = f"{len(rows)} links, {clicked or 'none'} clicked{'' if clicked else ' yet'}"
    return {"summary": summary, "open": len(rows) <= _FEW, "rows": rows}


def words(found: LinkClicks, copies: int, people: int) -> str:
    """“clicked twice by a person”, “not yet”: how a line about a link goes on."""
    if found.times:
        if copies > 1:
            who = "a person" if found.copies == 1 else f"{found.copies} people"
        else:
            who = "a person" if people < 2 else f"one of {people} people"
        return f"clicked {times(found.times)} by {who}"
    if found.doubtful:
        return "perhaps clicked; by whom cannot be known"
    return "not yet by a person" if found.others else "not yet"


def times(number: int) -> str:
    """“once”, “twice”, “5 times”."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")
