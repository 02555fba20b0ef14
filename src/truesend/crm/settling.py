"""What an answer makes of a recording and of its connection: guarded updates, proofs, and how long to rest."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from truesend import clock, live_events
from truesend.connections import proofs
from truesend.connections.causes import Severity, cause
from truesend.connections.models import Connection, LedgerKind
from truesend.crm.models import Recorder, Recording, Status
from truesend.providers.contract import Evidence
from truesend.providers.errors import ProviderError
from truesend.sending import bucket, readiness

log = logging.getLogger("truesend.crm")

TRIGGER = "record"
_RETRY, _LONGEST_RETRY = timedelta(seconds=5), timedelta(hours=1)
_CLIENT_RESTS = timedelta(minutes=1)


@dataclass(eq=False)
class Failure(Exception):
    """A call that failed for the connection: ``check`` is the capability that it is a part of; empty for none."""

    check: str
    call: str
    error: ProviderError


# -- of one recording --------------------------------------------------------------------------------------------


def begin(row: Recording, now: datetime, *, look_at: datetime, sure_at: datetime) -> bool:
    """Say that a call which notes it begins now; False where it is not as it was when it was read."""
    taken = Recording.objects.filter(pk=row.pk, status=row.status, begun_at=row.begun_at, due_at=row.due_at)
    told = {
        "status": Status.POSTING,
        "begun_at": now,
        "due_at": look_at,
        "sure_at": sure_at,
        "contact": row.contact,
        "contact_name": row.contact_name,
    }
    if taken.update(**told, tries=F("tries") + 1) != 1:
        return False
    row.status, row.begun_at, row.due_at, row.sure_at = Status.POSTING, now, look_at, sure_at
    row.tries += 1
    return True


def recorded(row: Recording, number: str) -> bool:
    """It is there, as ``number``; also where it was turned off meanwhile."""
    rows = Recording.objects.filter(pk=row.pk, status__in=(Status.POSTING, Status.STOPPED))
    return _settle(row, rows, Status.RECORDED, record=number[:100], cause="", words="")


def settle(row: Recording, status: Status) -> bool:
    """It ends so, from where it stood."""
    return _settle(row, Recording.objects.filter(pk=row.pk, status=row.status), status)


def give_up(row: Recording, code: str, words: str) -> bool:
    """It is refused for good."""
    rows = Recording.objects.filter(pk=row.pk, status=row.status)
    _settle(row, rows, Status.REFUSED, cause=code[:60], words=words[:500])
    return True


def _settle(row: Recording, rows: QuerySet[Recording], status: Status, **told: str) -> bool:
    now = clock.now()
    with transaction.atomic():
        changed = rows.update(status=status, due_at=None, settled_at=now, **told)
        if changed == 1:
            email = row.delivery.email
            live_events.publish(email.organization_id, "email", [email.pk])
    return changed == 1


def back(row: Recording, due_at: datetime) -> None:
    """It is certain that this call noted nothing: it waits as before."""
    begun = Recording.objects.filter(pk=row.pk, status=Status.POSTING, begun_at=row.begun_at)
    begun.update(status=Status.WAITING, due_at=due_at, begun_at=None, sure_at=None)


def look_again(row: Recording, due_at: datetime) -> None:
    """Nothing is known of it yet."""
    begun = Recording.objects.filter(pk=row.pk, status=Status.POSTING, begun_at=row.begun_at)
    begun.update(due_at=due_at)


# -- of its connection -------------------------------------------------------------------------------------------


def answered(connection: Connection, check: str, call: str) -> None:
    """A good answer: the proof of ``check``, and an end to the misses of this call."""
    with transaction.atomic():
        proofs.record(
            connection,
            [Evidence("grant", True, call), *([Evidence(check, True, call)] if check != "grant" else [])],
            kind=LedgerKind.RECORD,
            trigger=TRIGGER,
            briefly=True,
            quietly=True,
        )
        failing = Recorder.objects.filter(pk=connection.pk, misses__gt=0, call__in=(call, ""))
        if failing.update(misses=0, cause="", call="", words="", rest_until=None):
            live_events.publish(connection.organization_id, "verdict", [connection.pk])


def rest(connection: Connection, until: datetime) -> None:
    """Leave it in peace for a while, for no fault of its own."""
    Recorder.objects.filter(pk=connection.pk).update(rest_until=until)


def missed(connection: Connection, failure: Failure) -> None:
    """No good answer: all of the connection rests, ever longer, or until the time that the provider named.

    A failed list is a proof of its capability. That a note was refused, or a limit was met, breaks none: it is noted.
    """
    error, now = failure.error, clock.now()
    row = Recorder.objects.filter(pk=connection.pk).first()
    misses = row.misses if row is not None else 0
    wait = min(_RETRY * (1 << min(misses, 10)), _LONGEST_RETRY) * (0.9 + 0.2 * random.random())  # noqa: S311
    until = max(now + wait, error.retry_at) if error.retry_at is not None else now + wait
    with transaction.atomic():
        Recorder.objects.filter(pk=connection.pk).update(
            rest_until=until,
            misses=F("misses") + 1,
            cause=error.cause[:60],
            call=failure.call,
            words=error.words[:500],
        )
        if failure.call:
            _prove(connection, failure, now)
        live_events.publish(connection.organization_id, "verdict", [connection.pk])
    log.info("A mail could not be recorded (%s); it is tried again.", error.cause)
    if error.client_wide:
        bucket.drain(connection.provider, error.retry_at or now + _CLIENT_RESTS)


def _prove(connection: Connection, failure: Failure, now: datetime) -> None:
    error = failure.error
    limits = cause(error.cause).severity is Severity.ATTENTION and readiness.opens_by_itself(error.cause)
    if failure.check and not limits and error.cause != "throttled":
        evidence = Evidence(
            failure.check, False, failure.call, error.cause, error.words, until=error.retry_at
        )
        proofs.record(connection, [evidence], kind=LedgerKind.RECORD, trigger=TRIGGER, at=now)
    else:
        proofs.note(
            connection,
            LedgerKind.RECORD,
            trigger=TRIGGER,
            result=error.cause,
            words=error.words,
            ref=failure.call,
            at=now,
        )
