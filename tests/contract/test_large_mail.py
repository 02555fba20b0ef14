"""A mail of any size that a provider declares to carry, over the door as it is."""

from __future__ import annotations

import pytest
from tests.contract.mailboxes import Mailbox, new_mark

from truesend.providers.contract import Message
from truesend.providers.errors import Outcome


@pytest.mark.parametrize("size", [3_000_000, 4_000_000, None], ids=["below", "above", "all"])
def test_a_large_mail_arrives_whole_and_is_found(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    monkeypatch.setenv("TRUESEND_HTTP_TIMEOUT", "30")  # the sandbox takes its time over 33 MB
    mark, before = new_mark(), mailbox.position()
    letter = mailbox.letter(mark)
    # All: as many attachments as may be, and what base64 makes of them.
    most = mailbox.adapter.limits.attachment_bytes * 4 // 3
    wanted = min(size or most, most)
    letter += b"\r\n" + (b"x" * 76 + b"\r\n") * ((wanted - len(letter)) // 78)
    result = mailbox.hand_over(Message(mark, letter))
    assert result.outcome is Outcome.ACCEPTED, result
    assert mailbox.look(mark, position=before).found[mark].message_id == result.message_id
    arrived = mailbox.sandbox.messages()
    assert [message["count"] for message in arrived] == [1]
