"""flufl.bounce is the last one asked, and breaks nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from truesend.inbox.libraries import known_failures
from truesend.inbox.reading import read

NOTICE = b"""From: MAILER-DAEMON@mx.example.net
To: ana@example.com
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ana@example.com>:
This address is locked.

--- Below this line is a copy of the message.
"""


def test_a_format_that_it_knows_is_read() -> None:
    assert known_failures(NOTICE) == ["ana@example.com"]
    assert known_failures(b"From: ana@example.com\n\nHello\n") == []


def test_what_it_says_of_the_mailbox_itself_is_believed_with_a_code_only() -> None:
    assert read(NOTICE).recipients == ()
    told = read(NOTICE.replace(b"This address is locked.", b"Remote host said: 550 5.2.1 locked"))
    assert [one.address for one in told.recipients] == ["ana@example.com"]


@settings(max_examples=100, deadline=None)
@given(some.binary(max_size=1_000), some.integers(0, len(NOTICE)))
def test_it_never_raises(content: bytes, at: int) -> None:
    assert isinstance(known_failures(NOTICE[:at] + content), list)
