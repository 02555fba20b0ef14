"""Taking over a database: what its earlier owner may have sent meanwhile is looked up before it is sent again.

A backup knows nothing of what happened after it. Whatever waited then and could have left since is unknown, exactly
as after a worker that died: reconcile looks into Sent, and where it cannot, a person is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from truesend import clock, env
from truesend.connections import proofs
from truesend.connections.models import LedgerKind
from truesend.organizations import installation
from truesend.providers.errors import Outcome
from truesend.runtime import identity
from truesend.sending.models import Attempt, Delivery, DeliveryStatus
from truesend.sending.reconcile import RESTORED
from truesend.sending.settle import refresh_email

# Rows that are changed in one transaction.
_AT_ONCE = 200


@dataclass(frozen=True)
class Waiting:
    """What waits in the database: mail that may have left since the backup, and mail whose hour is still to come."""

    doubtful: int
    later: int
    unknown: int


def waiting() -> Waiting:
    """How much there is of each."""
    queued = Delivery.objects.filter(status=DeliveryStatus.QUEUED)
    doubtful = _doubtful(clock.now()).count()
    unknown = Delivery.objects.filter(status__in=(DeliveryStatus.UNKNOWN, DeliveryStatus.SENDING)).count()
    return Waiting(doubtful, queued.count() - doubtful, unknown)


def adopt() -> int:
    """Take over; how many deliveries are looked up first.

    Doubt comes before permission: every row is marked before any process may act in the new name. Cut short, it can
    be begun again.
    """
    row, now = installation.found().row, clock.now()
    count = 0
    while ids := list(_doubtful(now).values_list("pk", flat=True)[:_AT_ONCE]):
        with transaction.atomic():
            count += _doubt(ids, row.seen_at, now)
    with transaction.atomic():
        # What the backup saw at its preparation may have been sent since.
        Attempt.objects.filter(outcome="", preparing=True).update(preparing=False)
        unknown = Delivery.objects.filter(status=DeliveryStatus.UNKNOWN, look_at=None)
        unknown.update(look_at=now)
        installation.take_over(now)
    return count


def _doubtful(now: datetime) -> QuerySet[Delivery]:
    """What was due, or held until a person let it go."""
    return Delivery.objects.filter(Q(due_at__lte=now) | ~Q(held_cause=""), status=DeliveryStatus.QUEUED)


def _doubt(ids: list[UUID], seen_at: datetime, now: datetime) -> int:
    """Each becomes unknown, by a try of which nothing is known but when it may have begun."""
    rows = Delivery.objects.filter(pk__in=ids, status=DeliveryStatus.QUEUED)
    deliveries = list(rows.select_for_update(of=("self",)).select_related("email", "connection"))
    numbers = dict(Attempt.objects.filter(delivery__in=ids).values_list("delivery").annotate(Max("number")))
    real_now = clock.real_now()
    attempts = []
    for one in deliveries:
        began = min(seen_at, one.due_at or one.email.updated_at)
        attempts.append(
            Attempt(
                delivery=one,
                number=numbers.get(one.pk, 0) + 1,
                started_at=began,
                started_real_at=real_now - (now - began),
                worker=identity.worker_name(),
                over_at=real_now,
                finished_at=now,
                outcome=Outcome.UNKNOWN,
                cause=RESTORED,
            )
        )
    Attempt.objects.bulk_create(attempts)
    quiet = timedelta(seconds=env.number("QUIET_TIME"))
    rows.update(status=DeliveryStatus.UNKNOWN, due_at=None, held_cause="", look_at=now, ask_from=now + quiet)
    for one in deliveries:
        proofs.note(
            one.connection,
            LedgerKind.SEND,
            trigger="adopt",
            result=RESTORED,
            ref=str(one.pk),
            outcome=Outcome.UNKNOWN,
            at=now,
        )
    for email_id in {one.email_id for one in deliveries}:
        refresh_email(email_id, problem=RESTORED)
    return len(deliveries)
