"""The jobs of the inbox. Each is a wake-up: it reads rows, and running it once too often does nothing."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app


@app.task(name="read_mailbox", queue="mail")
def read_mailbox(connection_id: str) -> None:
    """Look at what came into one mailbox, if that is due."""
    from truesend.inbox.polling import read_if_due

    read_if_due(UUID(connection_id))


@app.task(name="read_due", queue="mail")
def read_due() -> None:
    """Look into every mailbox that is due, one after the other."""
    from truesend.inbox.polling import read_all

    read_all()


@app.task(name="renew_pushes", queue="mail")
def renew_pushes() -> None:
    """Renew every promise of a push that is due."""
    from truesend.inbox.push import renew_all

    renew_all()
