"""What tries that sent nothing leave behind in mailboxes, as the provider shows it to their people."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

from tests.sandbox.microsoft_client import ALL, MicrosoftClient
from tests.sandbox_process import Sandbox
from tests.stack import Stack
from tests.storms.ground import Mailbox, Rows

# The quiet time; what met a stopped worker or an outage then is tried again within an hour.
_QUIET, _AGAIN, _LOOKS = 150, 3700, 4


def wait_until_cleared(stack: Stack, rows: Rows) -> None:
    """Until all that is to be cleared away is, or was given up."""
    for look in range(_LOOKS):
        stack.sandbox.advance(_AGAIN if look else _QUIET)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if rows.ask("SELECT count(*) FROM sending_delivery WHERE clear_at IS NOT NULL") == [(0,)]:
                return
            time.sleep(0.2)
    raise AssertionError("what tries have left is not cleared away")


def of(sandbox: Sandbox, mailboxes: Iterable[Mailbox]) -> Counter[str]:
    """How many drafts of each subject lie in mailboxes whose provider keeps drafts."""
    found: Counter[str] = Counter()
    for one in mailboxes:
        if one.group.prepares and one.group.provider in _DRAFTS:
            found.update(_DRAFTS[one.group.provider](sandbox, one.address))
    return found


def in_outlook(sandbox: Sandbox, address: str) -> list[str]:
    """Subjects of the drafts in a mailbox, by a consent of its person's."""
    client = MicrosoftClient(sandbox)
    tokens = client.connect(address, ALL)
    asked = {"$select": "subject", "$top": "500"}
    answer = client.graph("GET", "me/mailFolders/drafts/messages", tokens, params=asked)
    assert answer.ok, answer.text
    return [one["subject"] for one in answer.json()["value"]]


# Keap keeps contacts, which are meant to stay.
_DRAFTS: dict[str, Callable[[Sandbox, str], list[str]]] = {"microsoft": in_outlook}
