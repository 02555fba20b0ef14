"""Whether a member may still act, asked inside the transaction that acts: what they began may outlast their place."""

from __future__ import annotations

from uuid import UUID

from django.db import connection


def hold(member_id: UUID) -> bool:
    """Whether they may act now; until the running transaction ends nobody deactivates or removes them.

    Several transactions of one member hold it beside each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM organizations_member m JOIN organizations_user u ON u.id = m.user_id "
            "WHERE m.id = %s AND m.removed_at IS NULL AND m.deactivated_at IS NULL AND u.is_active FOR SHARE OF m",
            [member_id],
        )
        return cursor.fetchone() is not None
