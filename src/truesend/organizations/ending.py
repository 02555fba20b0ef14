"""Whether an organization is on its way out: deleted after some days, unless an owner takes that back before."""

from __future__ import annotations

from truesend import zones
from truesend.organizations import roles
from truesend.organizations.models import Member, Organization
from truesend.organizations.roles import Action

CAUSE = "organization_ends"
PAGE = "/settings/organization/delete"
KEEP = "Keep the organization"


def day(organization: Organization) -> str:
    """“7 December, 14:05 UTC”: when it is to be deleted, by its own clocks. Empty where it is not."""
    if organization.ends_at is None:
        return ""
    at = organization.ends_at.astimezone(zones.zone(organization.zone))
    return f"{at.day} {at:%B, %H:%M %Z}"


def sentence(organization: Organization) -> str:
    """Why nothing is sent."""
    return f"{organization.name} is to be deleted on {day(organization)}."


STOPPED = "Nothing is sent, scheduled or newly connected until then; an owner can take it back."


def fix(member: Member) -> dict[str, str]:
    """What helps: an owner takes it back, everybody else sees who owns it."""
    if roles.allows(member.role, Action.END):
        return {"label": KEEP, "url": PAGE}
    return {"label": "See the team", "url": "/users"}
