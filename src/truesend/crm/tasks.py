"""The job of recording. It is a wake-up: it reads rows, and running it once too often does nothing."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app


@app.task(name="record_sent", queue="mail")
def record_sent(connection_id: str) -> None:
    """Note with the contacts of one connection what is due there, one after the other."""
    from truesend.crm.work import drain

    drain(UUID(connection_id))
