"""What a token endpoint's answer becomes in the row of its token."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from truesend.connections import schedule
from truesend.connections.secretbox import seal
from truesend.connections.token_rows import Fresh, Taken
from truesend.providers import registry
from truesend.providers.contract import Grant


def fresh(taken: Taken, grant: Grant, at: datetime, *, previous: bytes | None) -> Fresh:
    """``grant`` as it was given ``at`` that time, sealed. ``previous``: the refresh token before, if a new one came."""
    new = grant.refresh_token
    return Fresh(
        access=seal(grant.access_token, place=f"token.access:{taken.connection}"),
        refresh=seal(new, place=f"token.refresh:{taken.connection}") if new else None,
        # The one that we keep has just worked, so the one before it is not needed any more.
        previous=previous if new else None,
        at=at,
        expires_at=at + timedelta(seconds=grant.expires_in),
        due_at=schedule.after_success(
            at,
            grant.expires_in,
            renews_once=registry.provider(taken.provider).renews_once,
            jitter=random.random(),  # noqa: S311
        ),
        ends_at=at + timedelta(seconds=grant.refresh_expires_in) if grant.refresh_expires_in else None,
        proved_at=at,
    )
