"""The help that a member is offered: what repairs a connection where they may, else a question to somebody who may."""

from __future__ import annotations

from truesend.connections.causes import Action
from truesend.connections.describe import Description
from truesend.organizations.access import manages
from truesend.organizations.models import Member

ASK = "Ask an owner"


def fix_of(member: Member, described: Description) -> dict[str, str] | None:
    """`fix` of a connection for this member, as ``{label, url}``; the address of a question can be opened, too."""
    fix = described.fix
    if fix is None or fix["label"] == Action.OPERATOR or manages(member, described.connection):
        return fix
    return {"label": ASK, "url": f"/connections/{described.connection.pk}/ask"}
