"""Whether an account may be connected that is not connected now: an inactive organization keeps what it has."""

from __future__ import annotations

from truesend.billing import account
from truesend.connections.models import Connection
from truesend.organizations.models import Member


def stopped(member: Member, connection: Connection | None) -> str:
    """The cause in the organization's account that keeps a member from connecting; empty where nothing does.

    What stands may be repaired all the same.
    """
    stands = connection is not None and connection.disconnected_at is None
    return "" if stands else account.stopped_by(member.organization)
