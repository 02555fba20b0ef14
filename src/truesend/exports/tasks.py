"""The job of exports. It is a wake-up: it reads rows, and running it once too often does nothing."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app


@app.task(name="make_export", queue="mail")
def make_export(export_id: str) -> None:
    """Make an archive, or delete one whose days are over."""
    from truesend.exports.making import look

    look(UUID(export_id))
