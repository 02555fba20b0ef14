"""The sentence about recipients' clocks."""

from __future__ import annotations

from datetime import UTC, datetime

from truesend.web.their_hours import sentence

NOW = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
AT = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


def test_of_nobody_nothing_is_said() -> None:
    assert sentence({}, AT, NOW) == ""


def test_one_and_two_are_named() -> None:
    assert sentence({"ines@x.example": 540}, AT, NOW) == "That is about 16:00 for ines@x.example (UTC+9)."
    assert sentence({"ines@x.example": 540}, None, NOW) == "It is now about 14:00 for ines@x.example (UTC+9)."
    both = {"ines@x.example": 540, "tom@x.example": -600}
    assert sentence(both, AT, NOW) == (
        "That is about 16:00 for ines@x.example (UTC+9), about 21:00 for tom@x.example (UTC−10)."
    )


def test_another_day_there_is_said() -> None:
    late = datetime(2026, 12, 1, 16, 30, tzinfo=UTC)
    assert "about 01:30 on Wed 2 Dec for" in sentence({"ines@x.example": 540}, late, NOW)


def test_more_are_told_together() -> None:
    known = {"a@x.example": 60, "b@x.example": 540, "c@x.example": 330}
    assert sentence(known, AT, NOW) == (
        "That is between about 08:00 and 16:00 for the 3 people whose hour is known."
    )
    same = dict.fromkeys(known, 60)
    assert sentence(same, AT, NOW) == "That is about 08:00 for the 3 people whose hour is known (UTC+1)."
