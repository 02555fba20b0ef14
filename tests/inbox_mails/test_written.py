"""Our own mails in the known formats: a clone without the real ones tests every rule by them."""

from __future__ import annotations

import pytest
from tests.inbox_mails import limits, more_systems, systems
from tests.inbox_mails.cases import Case

from truesend.inbox.causes import About
from truesend.inbox.reading import read

CASES = (*systems.CASES, *more_systems.CASES, *limits.CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_mail_is_read_as_it_was_meant(case: Case, ends: str) -> None:
    told = read(case.raw.replace("\n", ends).encode())

    assert told.kind is case.kind
    assert sorted((one.address, one.hard) for one in told.recipients) == sorted(case.failed)
    if case.reason:
        assert told.recipients[0].reason == case.reason
    if case.failed:
        assert told.about is (About.SENDER if case.sender else About.RECIPIENT)
