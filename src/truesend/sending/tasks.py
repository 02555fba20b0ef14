"""The jobs of sending. Each is a wake-up: it reads rows, and running it once too often does nothing."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app


@app.task(name="drain_mailbox", queue="mail")
def drain_mailbox(connection_id: str) -> None:
    """Send what is due in one mailbox, one after the other."""
    from truesend.sending.dispatch import drain

    drain(UUID(connection_id))


@app.task(name="look_up_mailbox", queue="mail")
def look_up_mailbox(connection_id: str) -> None:
    """Look into one mailbox's Sent for what is unknown."""
    from truesend.sending.reconcile import look_up

    look_up(UUID(connection_id))


@app.task(name="clear_mailbox", queue="mail")
def clear_mailbox(connection_id: str) -> None:
    """Take away what tries that sent nothing have left in one mailbox."""
    from truesend.sending.clearing import clear

    clear(UUID(connection_id))
