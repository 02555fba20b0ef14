"""Copies of one email to many, on their way: when each is due, and what keeps one back when its turn comes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db import transaction

from truesend import clock
from truesend.sending import budget, day, schedule
from truesend.sending.models import Delivery, DeliveryStatus, Email
from truesend.sending.reading import Due
from truesend.sending.settle import refresh_email
from truesend.sending.states import PAUSED

BUDGET = "daily_budget"
STOPPED = "stopped"
_ON_THEIR_WAY = ("", BUDGET)
# A copy that is overdue by more is not made up for at once: those after it are spaced anew.
LATE = timedelta(minutes=2)
# What a drain knows of its mailbox's day is asked for again after so long.
_KNOWN_FOR = timedelta(seconds=30)

_MOVE = f"""
UPDATE {Delivery._meta.db_table} AS d
   SET due_at = told.due, held_cause = %(cause)s,
       late_after = CASE WHEN %(told)s AND d.late_after IS NOT NULL THEN greatest(d.late_after, told.due + %(late)s)
                         ELSE d.late_after END
  FROM unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) AS told(id, due)
 WHERE d.id = told.id AND d.status = 'queued' AND d.held_cause = ANY(%(held)s)
"""  # noqa: S608  # our own table's name


def space(
    email: Email, *, held: tuple[str, ...] = _ON_THEIR_WAY, start: datetime | None = None, cause: str = ""
) -> int:
    """Give the copies that wait, or are ``held`` by one of these causes, their times from ``start`` on; how many.

    ``cause``: what they wait for until then, and are told to. Call it in a transaction.
    """
    waiting = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED, held_cause__in=held)
    ids = list(waiting.order_by("position").values_list("pk", flat=True))
    if not ids:
        return 0
    assert email.connection is not None
    known = day.of(email.connection, but=email.pk)
    begins = max(start or clock.now(), email.send_at or clock.now(), clock.now())
    plan = budget.plan_copies(len(ids), begins, known, per_minute=day.per_minute(known))
    values: dict[str, Any] = {
        "ids": ids,
        "times": list(plan.times),
        "held": list(held),
        "cause": cause or (BUDGET if plan.late else ""),
        # Hours that somebody asked for, or was told of, are not too late; those of an outage are.
        "told": plan.late or bool(cause) or held != _ON_THEIR_WAY,
        "late": schedule.LATE,
    }
    with database.cursor() as cursor:
        cursor.execute(_MOVE, values)
        return int(cursor.rowcount)


def respace(email_id: UUID, cause: str = "") -> None:
    """Space what waits of an email anew, from now on; also what waited for a limit, ``cause``, that is over."""
    held = _ON_THEIR_WAY if cause in _ON_THEIR_WAY else (*_ON_THEIR_WAY, cause)
    with transaction.atomic():
        space(Email.objects.select_related("connection").get(pk=email_id), held=held)
        refresh_email(email_id, problem="")


def hold_rest(email_id: UUID, cause: str, opens: datetime | None) -> None:
    """What keeps one copy from its mailbox keeps those after it: until ``opens``, spaced from then on, or for a person.

    Otherwise they would be told the same one by one, over hours, and half of them leave once it is over.
    """
    with transaction.atomic():
        if opens is None:
            rest = Delivery.objects.filter(email=email_id, status=DeliveryStatus.QUEUED, due_at__isnull=False)
            rest.filter(held_cause__in=_ON_THEIR_WAY).update(due_at=None, held_cause=cause)
        else:
            email = Email.objects.select_related("connection").get(pk=email_id)
            space(email, held=(*_ON_THEIR_WAY, cause), start=opens, cause=cause)
        refresh_email(email_id, problem=cause)


def keeps_back(due: Due) -> bool:
    """Whether a copy whose turn has come does not go: its email was paused or stopped, or it comes too late.

    What is so is written to the rows.
    """
    delivery, email = due.delivery, due.delivery.email
    if email.halt:
        halted(delivery.pk, email)
        return True
    if not is_of_many(due) or delivery.due_at is None:
        return False
    if delivery.due_at > clock.now() - LATE and delivery.held_cause != BUDGET:
        return False
    respace(email.pk, delivery.held_cause)
    return True


def is_of_many(due: Due) -> bool:
    """Whether it is one of several copies of its email."""
    return due.delivery.email.separate_copies and not due.alone


def halted(delivery_id: UUID, email: Email) -> None:
    """A copy that came back into the queue while its email was paused or stopped."""
    fields: dict[str, object] = {"held_cause": PAUSED, "due_at": None}
    if email.halt == STOPPED:
        fields = {"status": DeliveryStatus.CANCELLED, "held_cause": "", "due_at": None}
    with transaction.atomic():
        if Delivery.objects.filter(pk=delivery_id, status=DeliveryStatus.QUEUED).update(**fields):
            refresh_email(email.pk, problem="")


class Allowance:
    """What a mailbox has left of its day, while it is drained."""

    def __init__(self) -> None:
        self._known: budget.Day | None = None
        self._until: datetime | None = None
        self._messages = self._people = 0

    def plan(self, due: Due) -> budget.Plan | None:
        """When this copy may leave; None where it may at once."""
        now = clock.now()
        known, people = self._known, _people(due)
        if known is None or self._until is None or now > self._until:
            known = self._look(due, now)
        messages, recipients = known.ceilings(known.reserve if is_of_many(due) else 0)
        if (not messages or self._messages < messages) and (
            not recipients or self._people + people <= recipients or not self._people
        ):
            return None
        # Asked anew: what is a minute old by now may be free again.
        known = self._look(due, now)
        plan = budget.plan_copies(1, now, known, per_minute=1) if is_of_many(due) else None
        plan = plan or budget.plan_one(people, now, known)
        return plan if plan.late else None

    def spend(self, due: Due) -> None:
        """It leaves now."""
        self._messages += 1
        self._people += _people(due)

    def _look(self, due: Due, now: datetime) -> budget.Day:
        found = day.of(due.delivery.connection)
        past = [one for one in found.load if not one.planned]
        self._known = known = budget.Day(found.limit, found.own, past)
        self._until = now + _KNOWN_FOR
        self._messages = sum(one.messages for one in past)
        self._people = sum(one.recipients for one in past)
        return known


def _people(due: Due) -> int:
    return sum(len(group) for group in due.people.values())
