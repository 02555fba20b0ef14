"""Pausing and resuming the copies of an email that wait. What has left has left."""

from __future__ import annotations

from django.db import transaction

from truesend import clock
from truesend.organizations.models import Member
from truesend.sending import pace, wake
from truesend.sending.models import Delivery, DeliveryStatus, Email
from truesend.sending.readiness import check
from truesend.sending.release import written
from truesend.sending.settle import refresh_email
from truesend.sending.states import PAUSED
from truesend.sending.submit import NotReady, draft_of


def pause(email: Email) -> int:
    """Keep back the copies that wait for their time; how many. One that is under way goes on, and comes back paused.

    What is held for somebody is held already.
    """
    with transaction.atomic():
        waiting = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED, due_at__isnull=False)
        count = waiting.update(due_at=None, held_cause=PAUSED)
        if count:
            Email.objects.filter(pk=email.pk).update(halt=PAUSED, updated_at=clock.now())
            refresh_email(email.pk, problem="")
    return count


def resume(email: Email, member: Member) -> int:
    """Let the paused copies go on, spaced from now on by what the mailbox may send; how many.

    Raises :class:`~truesend.sending.submit.NotReady`, and then nothing has changed, where a gate is shut.
    """
    paused = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED, held_cause=PAUSED)
    if not paused.exists():
        return 0
    readiness = check(member, draft_of(written(email)))
    if not readiness.ready:
        raise NotReady(readiness)
    with transaction.atomic():
        if Email.objects.filter(pk=email.pk, halt=PAUSED).update(halt="", updated_at=clock.now()) != 1:
            return 0
        count = pace.space(email, held=(PAUSED,))
        if count:
            refresh_email(email.pk, problem="")
            wake.mailboxes_of(email.pk)
    return count
