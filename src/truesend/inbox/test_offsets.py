"""How far from UTC somebody's clock is, by the mail they wrote."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from truesend.inbox import offsets
from truesend.inbox.reading import read


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("Tue, 1 Dec 2026 16:00:00 +0900", 540),
        ("Tue, 1 Dec 2026 16:00:00 -0330 (NDT)", -210),
        ("1 Dec 26 9:05 +0545", 345),
        ("Tue, 1 Dec 2026 16:00:00 +1400", 840),
        ("Tue, 1 Dec 2026 16:00:00 -1200", -720),
        ("Tue, 1 Dec 2026 16:00:00 -0000", None),
        ("Tue, 1 Dec 2026 16:00:00 +0000", None),
        ("Tue, 1 Dec 2026 16:00:00 GMT", None),
        ("Tue, 1 Dec 2026 16:00:00 +1415", None),
        ("Tue, 1 Dec 2026 16:00:00 -1230", None),
        ("Tue, 1 Dec 2026 16:00:00 +9900", None),
        ("Tue, 1 Dec 2026 16:00:00 +0907", None),
        ("Tue, 1 Dec 2026 16:00:00 +0860", None),
        ("yesterday +0900", None),
        ("", None),
    ],
)
def test_the_offset_of_a_date(written: str, minutes: int | None) -> None:
    assert offsets.of_date(written) == minutes


MAIL = "From: ines@globex.example\r\nSubject: Re: x\r\nDate: Tue, 1 Dec 2026 16:00:00 +0900\r\n{more}\r\nYes.\r\n"


@pytest.mark.parametrize(
    ("more", "minutes"),
    [
        ("", 540),
        ("List-Id: <people.globex.example>\r\n", None),
        ("Precedence: bulk\r\n", None),
        ("Auto-Submitted: auto-replied\r\n", None),
    ],
)
def test_only_what_a_person_wrote_tells(more: str, minutes: int | None) -> None:
    assert read(MAIL.format(more=more).encode()).utc_offset == minutes


def test_its_name_and_the_hour_there() -> None:
    assert [offsets.name(one) for one in (540, -210, 345)] == ["UTC+9", "UTC−3:30", "UTC+5:45"]
    at = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)
    assert offsets.there(at, 540).isoformat() == "2026-12-01T16:00:00+09:00"
