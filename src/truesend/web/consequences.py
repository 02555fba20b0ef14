"""What happens then: the sentences before a button that changes whose a mailbox is, or ends it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import Count

from truesend import clock
from truesend.connections.disconnect import shares_account
from truesend.connections.models import Connection, Kind
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending.models import Delivery, DeliveryStatus, Email
from truesend.web import recorders

# Who sent from it since then uses it.
_USES = timedelta(days=30)
_NAMED = 3
STAYS = (
    "Emails that were sent, their tracking and this connection’s history stay. Links in them go on working."
)


def of_disconnecting(member: Member, connection: Connection) -> list[str]:
    """Before “Disconnect”."""
    told = [f"Truesend forgets the key to {connection.address} and can no longer send from it."]
    told += _held(member, waiting(connection))
    if connection.kind == Kind.ORGANIZATION and (others := _users(member, connection)):
        told.append(f"{others} from it lately and no longer can.")
    if recording := recorders.waiting(connection):
        told.append(recording)
    return [
        *told,
        _permission(connection),
        STAYS,
        "Connecting the same account again brings it back, with its history.",
    ]


def _permission(connection: Connection) -> str:
    """What becomes of it at the provider."""
    if shares_account(connection):
        return "The permission at the provider stays: another connection here uses the same account."
    by_hand = registry.provider(connection.provider).ends_by_hand
    if by_hand:
        return f"The permission at the provider stays until you end it there. {by_hand}"
    return "The permission is withdrawn at the provider."


def of_sharing(member: Member, connection: Connection) -> list[str]:
    """Before “Share with everyone”."""
    return [
        f"Everybody in {member.organization.name} can send from {connection.address}, under its name.",
        "Nobody sees your emails: each member sees what they sent themselves.",
        "Owners and managers can reconnect and disconnect it.",
        "You can take it back.",
    ]


def of_taking_back(member: Member, connection: Connection) -> list[str]:
    """Before “Take it back”."""
    told = [f"Only you send from {connection.address} then."]
    others = [row for row in waiting(connection) if row[0] != member.pk]
    told += _held(member, others)
    if users := _users(member, connection):
        told.append(f"{users} from it lately and no longer can.")
    return [*told, STAYS]


def waiting(connection: Connection) -> list[tuple[UUID, str, int]]:
    """(member, name, how many emails) of what waits in a mailbox, the most first."""
    queued = Delivery.objects.filter(
        connection=connection, status=DeliveryStatus.QUEUED, due_at__isnull=False
    )
    counted = queued.filter(email__is_test=False).values(
        "email__member_id", "email__member__user__name", "email__member__user__email"
    )
    rows = counted.annotate(emails=Count("email_id", distinct=True)).order_by("-emails")
    return [
        (
            row["email__member_id"],
            row["email__member__user__name"] or row["email__member__user__email"],
            row["emails"],
        )
        for row in rows
    ]


def _held(member: Member, rows: Sequence[tuple[UUID, str, int]]) -> list[str]:
    """“3 waiting emails are held, not lost: 2 of yours, 1 of Ben Ito’s.”"""
    total = sum(count for _, _, count in rows)
    if not total:
        return []
    head = f"{total} waiting email{'s are' if total > 1 else ' is'} held, not lost"
    whose = [f"{count} of {'yours' if who == member.pk else f'{name}’s'}" for who, name, count in rows]
    if all(who == member.pk for who, _, _ in rows):
        return [f"{head}."]
    rest = f" and {len(whose) - _NAMED} more people’s" if len(whose) > _NAMED else ""
    return [f"{head}: {', '.join(whose[:_NAMED])}{rest}."]


def _users(member: Member, connection: Connection) -> str:
    """“Ben Ito and 2 others have sent”; empty where nobody else has."""
    lately = Email.objects.filter(
        connection=connection, is_test=False, deliveries__sent_at__gt=clock.now() - _USES
    ).exclude(member=member)
    people = lately.values_list("member__user__name", "member__user__email").distinct()
    names = sorted(name or email for name, email in people)
    if not names:
        return ""
    if len(names) == 1:
        return f"{names[0]} has sent"
    rest = len(names) - 1
    return f"{names[0]} and {rest} other{'s' if rest > 1 else ''} have sent"
