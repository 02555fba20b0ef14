"""Held emails of one mailbox that can go now, together: how many, and what it was that held them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet

from truesend.billing import account
from truesend.connections.describe import Description, describe, with_facts
from truesend.connections.models import Connection
from truesend.organizations import ending, installation
from truesend.organizations.access import emails_of
from truesend.organizations.finding import MOST_NEEDS
from truesend.organizations.models import Member
from truesend.sending import readiness
from truesend.sending.holding import OVERDUE
from truesend.sending.models import Delivery, Email
from truesend.sending.reconcile import RESTORED
from truesend.sending.release import waits_for_somebody

# Of fewer the button stands on the email's own page.
_SEVERAL = 2
# Their hours passed for reasons that were nobody's of them: they are read before they go.
_LOOKED_THROUGH = frozenset({OVERDUE, account.INACTIVE, ending.CAUSE})


def held_of(member: Member, connection_id: UUID, cause: str) -> QuerySet[Email]:
    """The member's emails of a mailbox that ``cause`` holds until somebody lets them go, oldest first."""
    copies = Delivery.objects.filter(connection_id=connection_id, **waits_for_somebody(cause))
    return (
        emails_of(member).filter(is_test=False, deliveries__in=copies).distinct().order_by("created_at", "pk")
    )


def releasable(connection_id: UUID) -> Description | None:
    """The mailbox, where what was held in it can leave now."""
    described = describe(with_facts(Connection.objects.filter(pk=connection_id)).get())
    return described if _can_go(described) else None


def _can_go(mailbox: Description) -> bool:
    return (
        installation.standing().adopted
        and readiness.can_send(mailbox)
        and not account.stopped_by(mailbox.connection.organization)
    )


def groups(
    held: Sequence[tuple[UUID, str, int]], mailboxes: Mapping[UUID, Description]
) -> list[dict[str, Any]]:
    """A note for each mailbox and cause of which several wait and can go: {title, sentence, fix}.

    ``held`` are (mailbox, cause, how many emails), see :func:`truesend.organizations.finding.numbers`.
    """
    found = sorted((one for one in held if one[2] >= _SEVERAL), key=lambda one: -one[2])
    return [
        _note(mailboxes[connection_id], cause, count)
        for connection_id, cause, count in found
        if connection_id in mailboxes and _can_go(mailboxes[connection_id])
    ]


def _note(mailbox: Description, cause: str, count: int) -> dict[str, Any]:
    url = f"/emails/held/{mailbox.connection.pk}?{urlencode({'cause': cause})}"
    several, every = (
        (f"{count} emails", f" {count}") if count < MOST_NEEDS else (f"{count} emails or more", "")
    )
    return {
        "title": f"{several} from {mailbox.connection.address} are held.",
        "sentence": why_they_can_go(cause),
        "fix": {
            "label": "Look through them" if cause in _LOOKED_THROUGH else f"Send all{every}",
            "url": url,
            "method": "get",
        },
    }


def why_they_can_go(cause: str) -> str:
    """What held several emails, once it holds them no more."""
    if cause == OVERDUE:
        return "Their hour passed while they could not leave, and nothing leaves late unasked."
    if cause == account.INACTIVE:
        return "Their hour passed while the account was inactive, and nothing leaves late unasked."
    if cause == ending.CAUSE:
        return "Their hour passed while the organization was to be deleted, and nothing leaves late unasked."
    if cause == RESTORED:
        return "They were due before a backup was restored, and none of them is in Sent."
    return "What stood in their way is gone; they wait until somebody lets them go."


@dataclass(frozen=True)
class Pace:
    """How fast what is let go leaves: ``seconds`` from one to the next."""

    seconds: int
    label: str

    def done_in(self, count: int) -> str:
        """“the last one in 4 h 59 min”; empty where it is a matter of seconds."""
        minutes = (count - 1) * self.seconds // 60
        hours, rest = divmod(minutes, 60)
        told = " ".join(
            part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part
        )
        return f"the last one in {told}" if told else ""


PACES = (
    Pace(0, "One after the other, as fast as {provider} takes them"),
    Pace(60, "One a minute"),
    Pace(300, "One every 5 minutes"),
    Pace(900, "One every 15 minutes"),
)
# Of more than this the slower pace is chosen at first: nobody wants a flood.
_FEW = 5


def paces(provider: str, count: int) -> list[dict[str, Any]]:
    """The choices of a page that lets ``count`` emails go."""
    chosen = 0 if count <= _FEW else 60
    return [
        {
            "seconds": one.seconds,
            "label": one.label.replace("{provider}", provider),
            "done": one.done_in(count),
            "chosen": one.seconds == chosen,
        }
        for one in PACES
    ]


def pace(text: str) -> timedelta:
    """The pace a form names; any other is the fastest."""
    found = next((one.seconds for one in PACES if str(one.seconds) == text), 0)
    return timedelta(seconds=found)


def words_of(every: timedelta) -> str:
    """“one a minute”."""
    found = next(one.label for one in PACES if one.seconds == every.total_seconds())
    return found[:1].lower() + found[1:]
