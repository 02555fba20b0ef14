"""A copy that does not go now: it is put back into the queue, held, left out or refused, and its email says why."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from truesend import clock
from truesend.sending import outcomes, pace, readiness, schedule, suppressing
from truesend.sending.box import Box
from truesend.sending.models import Delivery, DeliveryStatus
from truesend.sending.reading import Due
from truesend.sending.settle import refresh_email
from truesend.sending.states import PAUSED

_WORTH_TELLING = timedelta(seconds=5)
# Gates that are shut to every copy of an email alike.
_OF_THE_MAILBOX = frozenset({"installation", "role", "account", "connection", "capability"})


def queue_up(delivery: Delivery, code: str, until: datetime) -> None:
    """Not before then, for a reason that is not this email's: its mailbox comes back, and no worker waits for it."""
    if until - clock.now() >= _WORTH_TELLING:
        put_back(delivery, code, due_at=until)
    others = Delivery.objects.filter(
        connection_id=delivery.connection_id, status=DeliveryStatus.QUEUED, due_at__lt=until, held_cause=""
    )
    # A queue of our own is no reason to call an email late.
    others.update(due_at=until, late_after=schedule.moved(until))


def throttled_until(draft: readiness.Draft) -> datetime | None:
    """The provider's own time for this mailbox, which an email that came later keeps as well."""
    send = draft.connection.verdict.capability("send") if draft.connection else None
    if send is None or send.cause != "throttled" or send.proof is None or send.proof.until is None:
        return None
    return send.proof.until if send.proof.until > clock.now() else None


def wait_for(box: Box, due: Due, gate: readiness.Gate, draft: readiness.Draft) -> None:
    """A limit is over by itself at its hour; for anything else that is in the way a person is waited for."""
    delivery = due.delivery
    if suppressing.left_out_as_it_left(delivery, draft, gate):
        return
    many = pace.is_of_many(due)
    if gate.until is None:
        hold(delivery, gate.cause)
        if many and gate.name in _OF_THE_MAILBOX:
            pace.hold_rest(delivery.email_id, gate.cause, None)
            box.doubt()
        return
    opens = max(gate.until, clock.now() + timedelta(seconds=1))
    later = {"late_after": schedule.late_after(opens)} if delivery.late_after is not None else {}
    put_back(delivery, gate.cause, due_at=opens, held_cause=gate.cause, **later)
    if many:
        # The others would only be told the same, one by one.
        if gate.cause == pace.BUDGET:
            pace.respace(delivery.email_id)
        else:
            pace.hold_rest(delivery.email_id, gate.cause, opens)
        box.doubt()


def hold(delivery: Delivery, code: str) -> None:
    """Nothing was tried: the delivery waits, visibly, until the cause is gone and somebody releases it."""
    put_back(delivery, code, due_at=None, held_cause=code)


def refuse(delivery: Delivery, code: str) -> None:
    """Nothing was tried, and trying again would end the same."""
    put_back(delivery, code, status=DeliveryStatus.REFUSED, due_at=None, held_cause="")


def postpone(delivery: Delivery, code: str, number: int, retry_at: datetime | None) -> None:
    """Not now: hold when only a person helps, else come back later."""
    if readiness.blocks(code):
        hold(delivery, code)
    else:
        due_at = retry_at or outcomes.later(max(3, number), clock.now())
        put_back(delivery, code, due_at=due_at, held_cause="")


def put_back(delivery: Delivery, code: str, **fields: object) -> None:
    """Change a delivery that still waits, and say why; one that was cancelled or paused meanwhile stays so."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.QUEUED)
        if waiting.exclude(held_cause=PAUSED).update(**fields):
            refresh_email(delivery.email_id, problem=code)
