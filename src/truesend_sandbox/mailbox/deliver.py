"""Delivery: a mail arrives in the mailboxes of all its recipients; any address has one."""

from __future__ import annotations

from collections.abc import Sequence

from truesend_sandbox.mailbox import marks
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.world import World


def deliver(
    world: World,
    *,
    provider: str,
    sender: str,
    recipients: Sequence[str],
    mail: Mail,
    mark: str | None = None,
) -> int:
    """Put the mail into every recipient's mailbox once; returns the arrival's number.

    `mark` is the delivery's where the provider carries no headers; otherwise it is read from the header.
    Recipients that are accounts of a provider here get it in that provider's mailbox too.
    """
    raw = mail.render()
    with world.store.write():
        number = world.store.insert(
            "INSERT INTO arrivals (provider, sender, subject, mark, at, raw) VALUES (?, ?, ?, ?, ?, ?)",
            provider,
            sender,
            mail.text("subject"),
            mark or marks.in_header(mail),
            world.clock.now(),
            raw,
        )
        for position, address in enumerate(dict.fromkeys(recipients)):
            world.store.run(
                "INSERT INTO arrival_recipients (address, arrival_id, position) VALUES (?, ?, ?)",
                address,
                number,
                position,
            )
            world.store.run(
                "INSERT INTO mailboxes (address, mails, unread, latest) VALUES (?1, 1, 1, ?2)"
                " ON CONFLICT (address) DO UPDATE SET mails = mails + 1, unread = unread + 1, latest = ?2",
                address,
                number,
            )
        for address in recipients:
            if address != sender:
                for spec in world.providers.values():
                    spec.receive(world, address, raw)
    return number
