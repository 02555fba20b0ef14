"""What becomes of a member's mail that has not ended, when they may do nothing any more, or are gone.

Nothing is lost and nothing leaves under a name that is not in the team. Call these in the transaction of what happened.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from truesend import live_events
from truesend.organizations.models import Member
from truesend.sending import holding, release
from truesend.sending.models import Delivery, DeliveryStatus, Email, EmailStatus
from truesend.sending.states import PAUSED
from truesend.tracking.models import EmailTally

REMOVED, INACTIVE = "member_removed", "member_inactive"
_ENDED = (EmailStatus.SENT, EmailStatus.PARTLY, EmailStatus.FAILED, EmailStatus.CANCELLED)


def unfinished(member: Member) -> QuerySet[Email]:
    """Emails of theirs that still want something: to leave, or to be looked at by somebody. Drafts do not."""
    open_ = Email.objects.filter(member=member, is_test=False)
    return open_.exclude(status__in=[*_ENDED, EmailStatus.DRAFT])


def waiting(member: Member) -> QuerySet[Delivery]:
    """Copies of theirs that would leave by themselves."""
    queued = Delivery.objects.filter(email__member=member, status=DeliveryStatus.QUEUED)
    return queued.filter(due_at__isnull=False).exclude(held_cause=PAUSED)


def hold(member: Member) -> int:
    """Hold what waits until they may again; of how many emails."""
    return holding.hold(waiting(member), INACTIVE)


def go_on(member: Member) -> int:
    """What was held for that and whose hour is still to come waits for it again; of how many emails."""
    held = Delivery.objects.filter(email__member=member, status=DeliveryStatus.QUEUED, held_cause=INACTIVE)
    mailboxes = list(held.order_by().values_list("connection_id", flat=True).distinct())
    return sum(holding.resume(one, {INACTIVE}, of=member.pk) for one in mailboxes)


def hand_over(member: Member, heir: Member) -> int:
    """Give what has not ended to ``heir``; what would leave by itself is held until they decide. How many emails."""
    for test in Email.objects.filter(member=member, is_test=True).exclude(status__in=_ENDED):
        release.cancel(test)
    holding.hold(waiting(member), REMOVED)
    emails = list(unfinished(member).values_list("pk", flat=True))
    _move(emails, member, heir)
    return len(emails)


def _move(emails: Collection[UUID], member: Member, heir: Member) -> None:
    Email.objects.filter(pk__in=emails, writer=None).update(writer=member)
    Email.objects.filter(pk__in=emails).update(member=heir)
    EmailTally.objects.filter(email__in=emails).update(member=heir.pk)
    live_events.publish(member.organization_id, "email", emails)
