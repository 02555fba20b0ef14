"""Who may do what with connections: pure questions about a member, asked by pages, API and consents alike."""

from __future__ import annotations

from truesend.organizations import roles
from truesend.organizations.models import Member
from truesend.organizations.roles import Action

PERSONAL, SHARED = "personal", "organization"
PERSONAL_BARRED = "personal_not_allowed"


def connects(member: Member, kind: str) -> str:
    """The cause that keeps a member from connecting an account of ``kind``; empty where nothing does.

    Shared ones are connected by owners and managers; personal ones by everybody, where the organization allows them.
    """
    if kind == SHARED:
        return "" if roles.allows(member.role, Action.CONNECT_SHARED) else "not_allowed"
    return "" if member.organization.personal_connections_allowed else PERSONAL_BARRED


def sends_from(member_id: object, kind: str, holder_id: object, *, personal_allowed: bool) -> str:
    """The cause that keeps a member from sending from a connection they name, or that an email of theirs was for.

    ``holder_id`` is whose mailbox it is. A shared one may have become somebody's own since.
    """
    if kind == SHARED:
        return ""
    if member_id != holder_id:
        return "connection_not_yours"
    return "" if personal_allowed else PERSONAL_BARRED
