"""The jobs of connections. Each is a wake-up: it reads rows, and running it once too often does nothing."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app


@app.task(name="probe_connection", queue="mail")
def probe_connection(connection_id: str) -> None:
    """Ask the provider what of one connection works, if that is due."""
    from truesend.connections.probe import probe_if_due

    probe_if_due(UUID(connection_id))


@app.task(name="probe_due", queue="mail")
def probe_due() -> None:
    """Ask the providers of every connection that is due, one after the other."""
    from truesend.connections.probe import probe_all

    probe_all()
