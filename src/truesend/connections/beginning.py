"""Whether an account may be connected that is not connected now: an inactive organization keeps what it has."""

from __future__ import annotations

from truesend.billing import account
from truesend.connections.models import Connection
from truesend.organizations.models import Member


def stopped(member: Member, connection: Connection | None) -> bool:
    """Whether the organization's account keeps a member from connecting; what stands may be repaired all the same."""
    stands = connection is not None and connection.disconnected_at is None
    return not stands and account.stops(member.organization_id)
