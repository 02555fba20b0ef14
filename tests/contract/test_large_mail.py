"""A mail of any size that a provider declares to carry, over the door as it is."""

from __future__ import annotations

import pytest
from tests.contract.mailboxes import Mailbox, new_mark

from truesend.providers.errors import Outcome


@pytest.mark.parametrize("size", [3_000_000, 4_000_000, None], ids=["below", "above", "all"])
def test_a_large_mail_arrives_whole_and_is_found(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    monkeypatch.setenv("TRUESEND_HTTP_TIMEOUT", "30")  # the sandbox takes its time over 33 MB
    mark, before = new_mark(), mailbox.position()
    result = mailbox.hand_over(mailbox.large_message(mark, size))
    assert result.outcome is Outcome.ACCEPTED, result
    assert mailbox.look(mark, position=before).found[mark].message_id == mailbox.id_of(mark, result)
    arrived = mailbox.sandbox.messages()
    assert [message["count"] for message in arrived] == [1]
