"""Links in words."""

from __future__ import annotations

import pytest

from truesend.tracking.clicks import LinkClicks
from truesend.web.places import told, words


@pytest.mark.parametrize(
    ("found", "copies", "people", "expected"),
    [
        (LinkClicks(0, 0, False, False), 1, 1, "not yet"),
        (LinkClicks(0, 0, False, True), 1, 1, "not yet by a person"),
        (LinkClicks(0, 0, True, True), 1, 1, "perhaps clicked; by whom cannot be known"),
        (LinkClicks(1, 1, True, True), 1, 1, "clicked once by a person"),
        (LinkClicks(2, 1, False, False), 1, 3, "clicked twice by one of 3 people"),
        (LinkClicks(3, 1, False, False), 5, 5, "clicked 3 times by a person"),
        (LinkClicks(1200, 40, False, False), 50, 50, "clicked 1,200 times by 40 people"),
    ],
)
def test_who_clicked(found: LinkClicks, copies: int, people: int, expected: str) -> None:
    assert words(found, copies, people) == expected


def test_the_summary_counts_links() -> None:
    links = [
        {"index": 0, "text": "a", "target": "https://a.example"},
        {"index": 3, "text": "", "target": "//b"},
    ]
    clicked = {3: LinkClicks(2, 1, False, False)}
    found = told(links, clicked, 1, 1)
    assert found["summary"] == "2 links, 1 clicked"
    assert [(one["number"], one["text"], one["clicks"]) for one in found["rows"]] == [
        (0, "a", 0),
        (3, "//b", 2),
    ]
    assert told(links, {}, 1, 1)["summary"] == "2 links, none clicked yet"
    assert told(links[:1], {}, 1, 1)["summary"] == "One link, not clicked yet"
