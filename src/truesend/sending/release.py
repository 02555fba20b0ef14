"""Letting held mail go, stopping what has not left, and taking back what was sent a moment ago."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from truesend import clock, live_events
from truesend.organizations.models import Member
from truesend.sending import account_gate, attachments, pace, people_lists, schedule, suppressing, wake
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email, EmailStatus
from truesend.sending.readiness import check
from truesend.sending.settle import refresh_email
from truesend.sending.states import PAUSED
from truesend.sending.submit import NotReady, Written, draft_of

# Where an email may stand that was not tried yet.
UNTRIED = (EmailStatus.QUEUED, EmailStatus.SCHEDULED, EmailStatus.HELD, EmailStatus.PAUSED)


def release(email: Email, member: Member) -> int:
    """Make the held deliveries of an email due, now or at the hour it was written for; how many there were.

    Raises :class:`~truesend.sending.submit.NotReady`, and then nothing has changed, where a gate is shut to whatever
    ``member`` sends from there: it would be held again without a try. A limit that ends by itself shuts none.
    """
    held = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED)
    held = held.exclude(held_cause__in=("", PAUSED))
    if not held.exists():
        return 0
    readiness = check(member, draft_of(written(email)))
    if not readiness.ready:
        raise NotReady(readiness)
    with transaction.atomic():
        count = _let_go(email, held)
        if count:
            wake.mailboxes_of(email.pk)
    return count


def written(email: Email) -> Written:
    """A sent email as sending wants it, to be judged again."""
    return Written(
        connection=email.connection,
        to=email.to,
        cc=email.cc,
        bcc=email.bcc,
        subject=email.subject,
        html=email.html,
        text=email.text,
        stored=attachments.enclosed(email.pk, email.html),
        separate_copies=email.separate_copies,
        people=people_lists.of(email.pk) if email.separate_copies else None,
        send_at=email.send_at,
        sender=email.sender,
    )


def release_all(
    emails: Iterable[Email], connection_id: UUID, cause: str, *, every: timedelta = timedelta()
) -> int:
    """Let go what one cause holds in one mailbox for a person; of how many of ``emails`` there was something.

    One after the other, ``every`` so long: what waited for an outage to end does not arrive all at once.
    """
    count, now = 0, clock.now()
    for email in emails:
        with transaction.atomic():
            held = Delivery.objects.filter(
                email=email, connection_id=connection_id, **waits_for_somebody(cause)
            )
            count += bool(_let_go(email, held, now + count * every))
    if count:
        wake.mailbox(connection_id)
    return count


def waits_for_somebody(cause: str) -> dict[str, object]:
    """The filter of deliveries that ``cause`` holds until a person lets them go; others have an hour."""
    return {"status": DeliveryStatus.QUEUED, "held_cause": cause, "due_at": None}


def _let_go(email: Email, held: QuerySet[Delivery], at: datetime | None = None) -> int:
    # An hour that was chosen stands, and whoever lets it go now knows that it is late.
    now = clock.now()
    at = at or now
    chosen = email.send_at if email.send_at is not None and email.send_at > now else None
    due_at = max(at, chosen or at)
    late = schedule.late_after(due_at) if chosen is not None else None
    count = held.update(due_at=due_at, held_cause="", late_after=late)
    if count:
        _space(email, due_at)
        refresh_email(email.pk, problem="")
    return count


def _space(email: Email, start: datetime) -> None:
    """Copies to many leave in their own pace, whatever lets them go."""
    if email.separate_copies:
        pace.space(email, start=start)


class TooLateToChange(Exception):
    """Nothing of it waits any more; what became of it stands in its words."""


def reschedule(email: Email, send_at: datetime, member: Member) -> int:
    """Give what waits of an email another hour, whatever kept it; how many copies. Raises :class:`TooLateToChange`.

    Raises :class:`~truesend.sending.schedule.Unschedulable` for an hour that cannot be taken, and
    :class:`~truesend.sending.submit.NotReady` where the account lets nothing be scheduled. Other gates may open until
    that hour.
    """
    due_at = schedule.checked(send_at, clock.now())
    if _waiting(email).exists():
        draft = draft_of(written(email))
        if not account_gate.judge(member, draft).ok:
            raise NotReady(check(member, draft))
    return _put_off(email, due_at)


def _waiting(email: Email) -> QuerySet[Delivery]:
    """The copies that have an hour or can get one."""
    return Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED).exclude(held_cause=PAUSED)


def _put_off(email: Email, due_at: datetime) -> int:
    with transaction.atomic():
        count = _waiting(email).update(due_at=due_at, held_cause="", late_after=schedule.late_after(due_at))
        if not count:
            raise TooLateToChange(why_nothing_waits(email))
        Email.objects.filter(pk=email.pk).update(send_at=due_at, undo_until=None, updated_at=clock.now())
        email.send_at = due_at
        _space(email, due_at)
        refresh_email(email.pk, problem="")
    return count


def reschedule_all(emails: Iterable[Email], send_at: datetime, *, every: timedelta) -> int:
    """Give each of ``emails`` another hour, the first ``send_at``, each next ``every`` so long later; how many.

    What has left or was cancelled meanwhile is left out. Whoever calls has seen that the account lets them leave.
    Raises :class:`~truesend.sending.schedule.Unschedulable`.
    """
    count, now = 0, clock.now()
    for email in emails:
        with suppress(TooLateToChange):
            _put_off(email, schedule.checked(send_at + count * every, now))
            count += 1
    return count


def take_back(email: Email) -> None:
    """Make what waits for its hour, or for a person, a draft again, its hour kept; once more is fine.

    Raises :class:`TooLateToChange` where something of it was tried; then nothing has changed.
    """
    with transaction.atomic():
        statuses = [one.status for one in Delivery.objects.select_for_update().filter(email=email)]
        if not statuses and Email.objects.filter(pk=email.pk, status=EmailStatus.DRAFT).exists():
            return
        if any(one != DeliveryStatus.QUEUED for one in statuses):
            raise TooLateToChange(why_nothing_waits(email))
        if Attempt.objects.filter(delivery__email=email).exists():
            raise TooLateToChange("It was tried already. Cancel it, then write it again from its page.")
        states = (EmailStatus.SCHEDULED, EmailStatus.HELD, EmailStatus.PAUSED)
        again = {"status": EmailStatus.DRAFT, "halt": "", "undo_until": None, "problem": ""}
        waiting = Email.objects.filter(pk=email.pk, status__in=states)
        if waiting.update(**again, **people_lists.typed(email), updated_at=clock.now()) != 1:
            raise TooLateToChange("It is about to leave.")
        Delivery.objects.filter(email=email).delete()
        suppressing.forget_noted(email.pk)
    live_events.publish(email.organization_id, "email", [email.pk])


def cancel(email: Email) -> int:
    """Cancel the deliveries that wait; how many there were. What is being sent or was sent stays as it is.

    Where a copy that is under way comes back unsent, it is not tried again.
    """
    with transaction.atomic():
        waiting = Delivery.objects.filter(email=email, status=DeliveryStatus.QUEUED)
        count = waiting.update(status=DeliveryStatus.CANCELLED, due_at=None, held_cause="")
        if count:
            Email.objects.filter(pk=email.pk).update(halt=pace.STOPPED, updated_at=clock.now())
            refresh_email(email.pk, problem="")
    return count


_S = DeliveryStatus
# The statuses of all its copies -> what happened to it; the narrowest first.
_NOTHING_WAITS = {
    frozenset({_S.ACCEPTED}): "It was sent already.",
    frozenset({_S.CANCELLED}): "It was cancelled already, and nothing has left.",
    frozenset({_S.REFUSED, _S.CANCELLED}): "It was refused, and nothing has left.",
    frozenset({_S.UNKNOWN, _S.REFUSED, _S.CANCELLED}): "It was tried, and we do not know whether it left.",
    frozenset({_S.SENDING, _S.ACCEPTED}): "It is being sent right now.",
}


class TooLateToUndo(Exception):
    """The time to think again is over; what can still be done stands in its words."""

    def __init__(self, statuses: Collection[str]) -> None:
        super().__init__(f"It is too late to undo: {_why_too_late(statuses)}")
        self.can_cancel = DeliveryStatus.QUEUED in statuses


def _why_too_late(statuses: Collection[str]) -> str:
    if set(statuses) == {DeliveryStatus.QUEUED}:
        return "the time for it is over. It has not left yet: Cancel stops it."
    if set(statuses) == {DeliveryStatus.CANCELLED}:
        return "it was cancelled, and nothing has left."
    if DeliveryStatus.QUEUED in statuses:
        return "some of it has left or is leaving. Cancel stops the rest."
    if set(statuses) <= {DeliveryStatus.UNKNOWN, DeliveryStatus.CANCELLED}:
        return "it was tried, and we do not know whether it left."
    return "it has left, or is leaving now."


def why_nothing_waits(email: Email) -> str:
    """What became of an email of which Cancel found nothing: “It was sent already.”"""
    copies = Delivery.objects.filter(email=email)
    if copies.filter(status=DeliveryStatus.QUEUED, held_cause=PAUSED).exists():
        return "It is paused: resume it first, or stop it."
    statuses = set(copies.values_list("status", flat=True))
    for known, sentence in _NOTHING_WAITS.items():
        if statuses and statuses <= known:
            return sentence
    return "Nothing of it waits any more."


def undo(email: Email) -> None:
    """Make an email a draft again while its time to undo runs and nothing of it was tried; once more is fine.

    Raises :class:`TooLateToUndo`, and then nothing has changed.
    """
    with transaction.atomic():
        statuses = [one.status for one in Delivery.objects.select_for_update().filter(email=email)]
        # Pressed twice in the same moment: the other one was first, and took the deliveries away.
        if not statuses and Email.objects.filter(pk=email.pk, status=EmailStatus.DRAFT).exists():
            return
        untouched = all(one == DeliveryStatus.QUEUED for one in statuses)
        if not untouched or Attempt.objects.filter(delivery__email=email).exists():
            raise TooLateToUndo(statuses)
        now = clock.now()
        taken = Email.objects.filter(pk=email.pk, status__in=UNTRIED, undo_until__gt=now).update(
            status=EmailStatus.DRAFT,
            **people_lists.typed(email),
            halt="",
            undo_until=None,
            send_at=None,
            problem="",
            updated_at=now,
        )
        if taken != 1:
            raise TooLateToUndo(statuses)
        Delivery.objects.filter(email=email).delete()
        suppressing.forget_noted(email.pk)
    live_events.publish(email.organization_id, "email", [email.pk])
