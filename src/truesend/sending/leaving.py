"""What changes whose a mailbox is, with the mail that waits in it: disconnecting, sharing, taking back."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from truesend import live_events
from truesend.connections import disconnect as ending
from truesend.connections import sharing
from truesend.connections.models import Connection, Kind
from truesend.organizations import audit
from truesend.organizations.models import Member
from truesend.sending import holding

DISCONNECTED, NOT_YOURS, NOT_ALLOWED = "disconnected", "connection_not_yours", "personal_not_allowed"
# What is held for one of these before its hour waits for it again once that is over.
GOES_BACK = frozenset({DISCONNECTED, NOT_YOURS, NOT_ALLOWED})


def disconnect(connection: Connection, *, trigger: str, by: Member | None = None) -> bool:
    """End a connection and hold what waits in it; False where it was ended already.

    ``by`` is who does it, for the log of the organization; ``None`` where nobody in it does.
    """

    def within() -> None:
        holding.hold_all(connection.pk, DISCONNECTED)
        _note(connection, by, "connection.disconnected")

    return ending.disconnect(connection, trigger=trigger, within=within)


def is_back(connection: Connection) -> int:
    """After a consent: what was held since nobody could send it, and is still to come, waits for its hour again."""
    return holding.resume(connection.pk, {DISCONNECTED})


def personal_ones(organization_id: UUID, *, allowed: bool) -> None:
    """The organization allows mailboxes of one's own, or no longer does: what waits in them goes on, or is held."""
    rows = Connection.objects.filter(organization=organization_id, kind=Kind.PERSONAL, disconnected_at=None)
    ids = list(rows.values_list("pk", flat=True))
    for one in ids:
        if allowed:
            holding.resume(one, {NOT_ALLOWED})
        else:
            holding.hold_all(one, NOT_ALLOWED)
    live_events.publish(organization_id, "verdict", ids)
    live_events.publish(organization_id, "account", [organization_id])


def share(connection: Connection, *, by: Member) -> bool:
    """Let everybody send from it. Raises :class:`truesend.connections.sharing.Twice`."""
    with transaction.atomic():
        done = sharing.share(connection, trigger=by.user.email)
        if done:
            _note(connection, by, "connection.shared")
            holding.resume(connection.pk, {NOT_YOURS, NOT_ALLOWED})
    return done


def take_back(connection: Connection, *, by: Member) -> bool:
    """Let its member alone send from it; what others have waiting is held. Raises the same."""
    with transaction.atomic():
        done = sharing.take_back(connection, trigger=by.user.email)
        if done:
            _note(connection, by, "connection.taken_back")
            holding.hold_all(connection.pk, NOT_YOURS, but_of=connection.member_id)
    return done


def _note(connection: Connection, by: Member | None, action: str) -> None:
    audit.record(connection.organization_id, by, action, about=connection.address, ref=str(connection.pk))
