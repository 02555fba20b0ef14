"""What dead workers left behind: their open attempts become UNKNOWN, visibly, and are never sent again by guess.

An attempt that was still preparing has sent nothing: it goes again by itself.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from truesend import clock
from truesend.connections import proofs
from truesend.connections.models import LedgerKind
from truesend.providers.errors import Outcome
from truesend.sending import clearing, workers
from truesend.sending.dispatch import RECORD_FOR_SECONDS
from truesend.sending.models import Attempt, Delivery, DeliveryStatus
from truesend.sending.outcomes import unknown
from truesend.sending.settle import refresh_email

# Of attempts that do not say when they are over.
_LONGEST = timedelta(minutes=5)


def sweep() -> int:
    """Judge the open attempts of workers that no longer beat; how many there were."""
    now = clock.real_now()
    # After this even a living worker has given the attempt up.
    abandoned = Q(over_at__lt=now - timedelta(seconds=RECORD_FOR_SECONDS)) | Q(
        over_at=None, started_real_at__lt=now - _LONGEST
    )
    orphaned = Q(started_real_at__lt=now - workers.DEAD_AFTER) & ~Q(worker__in=workers.living())
    lost = Attempt.objects.filter(abandoned | orphaned, outcome="").select_related("delivery__connection")[
        :500
    ]
    return sum(_give_back(attempt) if attempt.preparing else _lose(attempt) for attempt in lost)


def _give_back(attempt: Attempt) -> bool:
    now = clock.now()
    with transaction.atomic():
        still = Attempt.objects.filter(pk=attempt.pk, outcome="", preparing=True)
        if still.update(outcome=Outcome.NOT_SENT, finished_at=now, cause="worker_lost") != 1:
            return False
        delivery = attempt.delivery
        Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.SENDING).update(
            status=DeliveryStatus.QUEUED,
            due_at=now,
            **clearing.after(attempt, delivery.connection.provider, now),
        )
        proofs.note(
            delivery.connection,
            LedgerKind.SEND,
            trigger="sweep",
            result="worker_lost",
            ref=str(delivery.pk),
            outcome=Outcome.NOT_SENT,
        )
        refresh_email(delivery.email_id, problem="")
    return True


def _lose(attempt: Attempt) -> bool:
    with transaction.atomic():
        changed = Attempt.objects.filter(pk=attempt.pk, outcome="", preparing=False).update(
            outcome=Outcome.UNKNOWN, finished_at=clock.now(), cause="worker_lost"
        )
        if changed != 1:
            return False
        delivery = attempt.delivery
        Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.SENDING).update(
            **unknown(attempt, clock.now())
        )
        proofs.note(
            delivery.connection,
            LedgerKind.SEND,
            trigger="sweep",
            result="worker_lost",
            ref=str(delivery.pk),
            outcome=Outcome.UNKNOWN,
        )
        refresh_email(delivery.email_id, problem="worker_lost")
    return True
