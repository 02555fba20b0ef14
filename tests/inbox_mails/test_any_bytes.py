"""Nothing that somebody makes stops a mailbox: cut, spoiled, nested, huge and hostile mails are read, and in time.

The limits are ten times what a quiet machine takes and more; what they catch is time that grows with the square.
"""

from __future__ import annotations

import random
import time

import pytest
from tests.inbox_mails import limits, ordinary, replies, systems

from truesend.inbox.incoming import Incoming, Kind
from truesend.inbox.parts import MOST_BYTES
from truesend.inbox.reading import read

_SECONDS = 20
_RAWS = [
    *(case.raw for case in (*systems.CASES, *limits.CASES)),
    *(raw for _, raw in ordinary.mails()),
    *(reply.raw for reply in replies.REPLIES),
]
_HEAD = b"From: MAILER-DAEMON@example.net\nTo: ana@example.com\nSubject: failure notice\n"


def _nested(depth: int) -> bytes:
    opened = "".join(f'Content-Type: multipart/mixed; boundary="b{at}"\n\n--b{at}\n' for at in range(depth))
    return _HEAD + opened.encode() + b"Content-Type: text/plain\n\n<bo@example.org>: 550 5.1.1 user unknown\n"


def _wrapped(depth: int) -> bytes:
    return b"".join(_HEAD + b"Content-Type: message/rfc822\n\n" for _ in range(depth)) + b"x"


HOSTILE = {
    "nested 200 deep": _nested(200),
    "nested 5000 deep": _nested(5_000),
    "mails in mails": _wrapped(500),
    "30 MB of text": _HEAD + b"\n<bo@example.org>: 550 5.1.1 user unknown\n" + b"word word word\n" * 2_000_000,
    "30 MB in one line": _HEAD + b"\nbo@example.org " + b"x" * 30_000_000,
    "a line of addresses": _HEAD + b"\n" + b"<bo@example.org> " * 200_000,
    "many lines of addresses": _HEAD + b"\n" + b"".join(b"<b%d@example.org>: 550 no\n" % at for at in range(80_000)),
    "a type of semicolons": b"Content-Type: multipart/report" + b";" * 2_000_000 + b"\n" + _HEAD + b"\nx",
    "a type of quotes": b'Content-Type: multipart/report; boundary="' + b'\\"' * 1_000_000 + b"\n" + _HEAD + b"\nx",
    "nested comments in From": b"From: " + b"(" * 1_000_000 + b"\nSubject: x\n\nx",
    "commas in To": b"To: " + b"," * 1_000_000 + b"\nFrom: postmaster@example.net\n\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?" * 200_000 + b"\nFrom: postmaster@example.net\n\nx",
    "a hundred thousand headers": b"".join(b"X-%d: y\n" % at for at in range(100_000)) + b"\nx",
    "boundaries": _HEAD + b'Content-Type: multipart/report; boundary="b"\n\n' + b"--b\n" * 400_000,
    "tags": _HEAD + b"Content-Type: text/html\n\n" + b"<" * 2_000_000,
    "styles that never end": _HEAD + b"Content-Type: text/html\n\n" + b"<style>" * 280_000,
    "status of nothing": _HEAD + b"Content-Type: message/delivery-status\n\n" + b"Action: failed\n\n" * 120_000,
    "groups": _HEAD + b"Content-Type: message/delivery-status\n\n" + b"".join(b"Final-Recipient: rfc822; b%d@example.org\nAction: failed\n\n" % at for at in range(40_000)),
    "at signs": _HEAD + b"\n" + b"a@" * 1_000_000,
    "dots": _HEAD + b"\n" + b"a@" + b"b." * 1_000_000,
    "figures": _HEAD + b"\n" + b"5.1." * 500_000,
    "braces": _HEAD + b'\n"notificationtype"' + b"{" * 1_000_000,
    "spaces": _HEAD + b"\nbo@example.org" + b" " * 2_000_000 + b"x",
    "dates": b"Auto-Submitted: auto-replied\nFrom: bo@example.org\nSubject: away\n\n" + b"back on 1 may until " * 100_000,
    "Date of figures": b"Auto-Submitted: auto-replied\nDate: " + b"9" * 1_000_000 + b"\nFrom: bo@example.org\n\nback on 5 May",
    "headers in the text": _HEAD + b"\n" + b"From: a\nTo: b\nSubject: c\n\n" * 70_000,
}  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mails_are_read_in_time(raw: bytes) -> None:
    began = time.monotonic()
    told = read(raw)
    took = time.monotonic() - began

    assert isinstance(told, Incoming)
    assert took < _SECONDS
    assert len(told.recipients) <= 500


def test_of_a_very_large_mail_the_beginning_counts() -> None:
    told = read(HOSTILE["30 MB of text"])

    assert len(HOSTILE["30 MB of text"]) > 10 * MOST_BYTES
    assert [one.address for one in told.recipients] == ["bo@example.org"]


def test_any_mail_can_be_cut_anywhere() -> None:
    chance = random.Random(6)
    for raw in _RAWS:
        content = raw.encode()
        for _ in range(4):
            assert read(content[: chance.randrange(len(content))]).kind in Kind


def test_any_mail_can_be_spoiled() -> None:
    chance = random.Random(7)
    for raw in _RAWS:
        content = bytearray(raw.encode())
        for _ in range(12):
            at = chance.randrange(len(content))
            content[at : at + chance.randrange(30)] = chance.randbytes(chance.randrange(8))
        told = read(bytes(content))
        assert all(one.address.isprintable() for one in told.recipients)


@pytest.mark.parametrize(
    "charset", ["x-none", "utf-16", "utf-7", "idna", "rot13", "zip", "unicode_escape", "cp65001", "", "\0"]
)
def test_a_charset_that_is_none_is_no_obstacle(charset: str) -> None:
    told = read(
        _HEAD
        + f"Content-Type: text/plain; charset={charset}\n\n<bo@example.org>: 550 5.1.1 user unknown\n".encode()
    )

    assert told.kind in Kind
