"""The job of closing. It is a wake-up: it reads rows, and running it once too often does nothing."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app


@app.task(name="erase_organization", queue="mail")
def erase_organization(organization_id: str) -> None:
    """Go on erasing an organization whose days are over."""
    from truesend.closing.erasing import work

    work(UUID(organization_id))
