"""Reading must not fail, whatever comes; what it finds of formats is held by ``tests/inbox_mails``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from truesend.inbox.causes import CAUSES, About
from truesend.inbox.incoming import Incoming, Kind
from truesend.inbox.reading import read

REPORT = b"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: ana@example.com
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@mx.example.net>
In-Reply-To: <asked@example.com>
References: <first@example.com>
 <asked@example.com>
Date: Tue, 03 Nov 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

Your mail could not be delivered.

<bo@example.org>: host mx.example.org said: 550 5.1.1 User unknown

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; bo@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b
Content-Type: message/rfc822

From: ana@example.com
To: bo@example.org
Message-ID: <sent@example.com>
X-Truesend-Delivery: 0b7c6d5e-0000-4000-8000-000000000001
Subject: Hello

Hello
<!-- truesend:delivery=0b7c6d5e-0000-4000-8000-000000000002 -->
--b--
"""


def test_a_report_is_told_whole() -> None:
    told = read(REPORT)

    assert (told.kind, told.about) == (Kind.BOUNCE, About.RECIPIENT)
    (one,) = told.recipients
    assert (one.address, one.status, one.code, one.hard, one.reason) == (
        "bo@example.org", "5.1.1", "550", True, "no_such_address",
    )  # fmt: skip
    assert one.sentence == CAUSES["no_such_address"].sentence
    assert (told.message_id, told.from_address) == ("report@mx.example.net", "MAILER-DAEMON@mx.example.net")
    assert told.subject == "Undelivered Mail Returned to Sender"
    assert told.date == datetime(2026, 11, 3, 9, tzinfo=UTC)
    assert told.in_reply_to == ("asked@example.com",)
    assert told.references == ("first@example.com", "asked@example.com")
    assert told.original_message_ids == ("sent@example.com",)
    assert told.refers_to == ("sent@example.com", "asked@example.com", "first@example.com")
    assert told.marks == ("0b7c6d5e-0000-4000-8000-000000000001", "0b7c6d5e-0000-4000-8000-000000000002")


def test_an_automatic_reply_tells_its_date() -> None:
    told = read(
        b"From: Bo <bo@example.org>\nTo: ana@example.com\nSubject: Automatic reply: Hello\n"
        b"Auto-Submitted: auto-replied\n"
        b"Date: Tue, 03 Nov 2026 10:00:00 +0100\nIn-Reply-To: <sent@example.com>\n\nI am away and back on 9 November.\n"
    )

    assert (told.kind, told.return_date, told.recipients) == (Kind.AUTO_REPLY, date(2026, 11, 9), ())
    assert (told.from_name, told.refers_to) == ("Bo", ("sent@example.com",))


def test_what_somebody_writes_is_nothing_of_that_kind() -> None:
    told = read(b"From: bo@example.org\nTo: ana@example.com\nSubject: Re: Hello\n\nFine, thank you.\n")

    assert told == Incoming(
        Kind.OTHER, from_address="bo@example.org", to_addresses=("ana@example.com",), subject="Re: Hello"
    )


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 1000, b"\n\n\n", b":", b"From", b"\xff\xfe" * 500, b"a: b", b"--"]
)
def test_nothing_much_is_another_mail(content: bytes) -> None:
    assert read(content).kind is Kind.OTHER


@settings(max_examples=200, deadline=None)
@given(some.binary(max_size=2_000))
def test_any_bytes_can_be_read(content: bytes) -> None:
    assert isinstance(read(content), Incoming)


@settings(max_examples=200, deadline=None)
@given(
    some.lists(
        some.tuples(some.integers(0, len(REPORT)), some.integers(0, 40), some.binary(max_size=12)), max_size=6
    ),
    some.integers(0, len(REPORT)),
)
def test_a_report_that_is_spoiled_can_be_read(changes: list[tuple[int, int, bytes]], end: int) -> None:
    content = REPORT
    for at, length, put in changes:
        content = content[:at] + put + content[at + length :]

    told = read(content[: max(end, 1)])

    assert told.kind in Kind
    assert all(one.reason in CAUSES and re.fullmatch(r"\d\.\d+\.\d+|", one.status) for one in told.recipients)
