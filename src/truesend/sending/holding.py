"""Everything that waits in a mailbox, held at once, and what of it goes on by itself when the mailbox is back.

In few statements, however much there is: a mailing of thousands may wait.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from truesend import clock, live_events
from truesend.sending import pace, wake
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus
from truesend.sending.settle import refresh_email

OVERDUE = "overdue"
# What nobody has tried yet: all of its copies wait.
_UNTRIED = (EmailStatus.SCHEDULED, EmailStatus.QUEUED)


def hold_all(connection_id: UUID, cause: str, *, but_of: UUID | None = None) -> int:
    """Hold what waits in a mailbox until somebody lets it go, of how many emails; that of one member may go on."""
    waiting = Delivery.objects.filter(
        connection_id=connection_id, status=DeliveryStatus.QUEUED, due_at__isnull=False
    )
    if but_of is not None:
        waiting = waiting.exclude(email__member_id=but_of)
    return hold(waiting, cause)


def hold(waiting: QuerySet[Delivery], cause: str) -> int:
    """Hold these copies, which wait, until somebody lets them go; of how many emails."""
    with transaction.atomic():
        emails = _emails(waiting)
        waiting.update(due_at=None, held_cause=cause)
        untried = Email.objects.filter(pk__in=emails, status__in=_UNTRIED)
        untried.update(status=EmailStatus.HELD, problem=cause, updated_at=clock.now())
        _settle(emails, EmailStatus.HELD, cause)
    return len(emails)


def hold_late(connection_id: UUID) -> int:
    """Hold what was written for an hour so long past that nobody expects it any more; of how many emails.

    After an outage nothing leaves late unasked, and nothing in a flood: its people look through it first.
    """
    late = Delivery.objects.filter(
        connection_id=connection_id,
        status=DeliveryStatus.QUEUED,
        due_at__isnull=False,
        late_after__lt=clock.now(),
    )
    return hold(late, OVERDUE)


def resume(connection_id: UUID, causes: Collection[str], *, of: UUID | None = None) -> int:
    """Let what was held for one of ``causes``, and whose hour is still to come, wait for it again; of how many emails.

    ``of``: of one member alone. What was due meanwhile waits for a person: nobody wants yesterday's mail to leave all
    at once.
    """
    now = clock.now()
    held = Delivery.objects.filter(
        connection_id=connection_id,
        status=DeliveryStatus.QUEUED,
        due_at=None,
        held_cause__in=list(causes),
        email__send_at__gt=now,
    )
    if of is not None:
        held = held.filter(email__member=of)
    with transaction.atomic():
        emails = _emails(held)
        hour = Email.objects.filter(pk=OuterRef("email_id")).values("send_at")[:1]
        held.update(due_at=Subquery(hour), held_cause="")
        # Copies to many leave one after the other, not all in the hour's first second.
        for many in Email.objects.filter(pk__in=emails, separate_copies=True).select_related("connection"):
            pace.space(many)
        still = Delivery.objects.filter(email=OuterRef("pk")).exclude(held_cause="")
        free = Email.objects.filter(~Exists(still), pk__in=emails, status=EmailStatus.HELD)
        free.update(status=EmailStatus.SCHEDULED, problem="", updated_at=now)
        _settle(emails, EmailStatus.SCHEDULED, "")
        if emails:
            wake.mailbox(connection_id)
    return len(emails)


def go_on(connection_id: UUID, causes: Collection[str], at: datetime) -> int:
    """Let what waits for the end of one of ``causes`` leave from ``at`` on, one by one; of how many emails."""
    waiting = Delivery.objects.filter(
        connection_id=connection_id,
        status=DeliveryStatus.QUEUED,
        due_at__gt=at,
        held_cause__in=list(causes),
    )
    with transaction.atomic():
        emails = _emails(waiting)
        waiting.update(due_at=at, held_cause="")
        for copies in Email.objects.select_related("connection").filter(pk__in=emails, separate_copies=True):
            pace.space(copies, start=at)
        still = Delivery.objects.filter(email=OuterRef("pk")).exclude(held_cause="")
        tried = Attempt.objects.filter(delivery__email=OuterRef("pk"))
        untried = Email.objects.filter(~Exists(still), ~Exists(tried), pk__in=emails, status=EmailStatus.HELD)
        untried.update(status=EmailStatus.QUEUED, problem="", updated_at=clock.now())
        _settle(emails, EmailStatus.QUEUED, "")
        if emails:
            wake.mailbox(connection_id)
    return len(emails)


def _emails(deliveries: QuerySet[Delivery]) -> list[UUID]:
    return list(deliveries.order_by().values_list("email_id", flat=True).distinct())


def _settle(emails: Collection[UUID], status: str, problem: str) -> None:
    """Those that do not stand there yet, one by one; the pages of all of them."""
    for email in Email.objects.filter(pk__in=emails).exclude(status=status).values_list("pk", flat=True):
        refresh_email(email, problem=problem)
    organizations = Email.objects.filter(pk__in=emails).values_list("organization_id", flat=True).distinct()
    for organization in organizations:
        live_events.publish(organization, "email", emails)
