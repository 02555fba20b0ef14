"""Sending one delivery: start committed, one call behind the fence, outcome recorded.

Nothing that can fail stands between the provider's answer and its record, and nothing here ever sends again on its
own guess: only NOT_SENT goes back into the queue.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    transaction,
)

from truesend import clock, env, live_events
from truesend.connections import proofs
from truesend.connections.causes import Severity, cause
from truesend.connections.models import Connection, LedgerKind
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.contract import Evidence
from truesend.providers.errors import Outcome, ProviderError, SendResult
from truesend.providers.http import total_timeout
from truesend.runtime import identity
from truesend.sending import letters, readiness, rows
from truesend.sending.box import Box
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, SettledBy
from truesend.sending.reading import Due
from truesend.sending.settle import refresh_email

log = logging.getLogger("truesend.sending")

# Bytes may leave only this long after the attempt was committed as started: a worker that was paused must not send.
FENCE_SECONDS = 10.0
RECORD_FOR_SECONDS = 60.0
_BACKOFF_SECONDS = (2, 5, 15, 60, 300, 900)
# About a day of tries; then a person decides.
MOST_TRIES = 100
# Refused although the token is fresh: one renewal decides.
_RENEW_ON = frozenset({"access_refused"})
# These concern one email; every other refusal concerns the mailbox.
_OF_THE_EMAIL = frozenset({"recipient_refused", "message_refused", "provider_refused", "not_found"})
# First look into Sent after an unknown outcome.
_FIRST_LOOK = timedelta(seconds=3)


class FencePassed(Exception):
    """Too late to let the first byte out."""


@dataclass(frozen=True)
class Started:
    """An attempt that is committed as started, and until when its bytes may leave (monotonic seconds)."""

    attempt: UUID
    number: int
    until: float


def drain(connection_id: UUID) -> None:
    """Send everything due in one mailbox, serially, until nothing is due."""
    box = Box(connection_id)
    try:
        while not identity.is_stopping() and installation.may_act():
            due = box.next()
            if due is None:
                if not box.read_a_copy():
                    return
            elif not _send(box, due):
                return  # somebody else has it: the waker comes by again
    finally:
        box.close()


def _send(box: Box, due: Due) -> bool:
    """Try one delivery; False where it could not be taken and still stands as it was."""
    delivery, number = due.delivery, due.number
    described = box.described()
    connection = delivery.connection = described.connection
    try:
        letter, links, draft = letters.build(due, described)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        # One email that cannot be put together must not stop the mailbox behind it.
        log.exception("An email could not be put together; it is refused, and nothing was sent.")
        _refuse(delivery, "message_unbuildable")
        return True
    gate = readiness.check(box.member(delivery), draft).first_closed()
    if gate is not None:
        # Only what holds at this moment keeps an email back.
        draft = replace(draft, connection=box.look())
        gate = readiness.check(box.member(delivery), draft).first_closed()
    if gate is not None:
        _wait_for(delivery, gate.cause, draft)
        return True
    try:
        # A refusal of the token right before this try asks for a new one, once in a row.
        access = box.access(renew=due.last_cause in _RENEW_ON)
    except ProviderError as error:
        box.doubt()
        _postpone(delivery, error.cause, number, error.retry_at)
        return True
    position = box.position(access)
    started = _start(delivery, number, links, seconds=total_timeout(len(letter)), position=position)
    if started is None:
        return False

    def fence() -> None:
        if time.monotonic() > started.until:
            raise FencePassed

    try:
        result = registry.provider(connection.provider).send(letter, access, fence=fence)
    except FencePassed:
        result = SendResult(Outcome.NOT_SENT, "fence_passed", "")
    checks = box.checks()
    at = _record_stubbornly(delivery, started, result, checks=checks, alone=due.alone)
    if result.outcome is Outcome.ACCEPTED:
        box.succeeded(delivery, result.message_id, checks, at)
    else:
        box.doubt()
    return True


def _start(
    delivery: Delivery, number: int, links: list[letters.Link], *, seconds: float, position: str = ""
) -> Started | None:
    """Commit the attempt as started; None when somebody else has the delivery or it is no longer due.

    ``seconds`` is the most that the call may take once its first byte has left.
    """
    until = time.monotonic() + FENCE_SECONDS
    real_now, attempt = clock.real_now(), uuid4()
    try:
        taken = rows.start(
            delivery=delivery.pk,
            attempt=attempt,
            number=number,
            links=links,
            now=clock.now(),
            real=real_now,
            over=real_now + timedelta(seconds=FENCE_SECONDS + seconds),
            position=position,
            worker=identity.worker_name(),
        )
    except IntegrityError:
        return None
    if not taken:
        return None
    live_events.publish_soon(delivery.email.organization_id, "email", [delivery.email_id])
    return Started(attempt, number, until)


def _record_stubbornly(
    delivery: Delivery, started: Started, result: SendResult, *, checks: list[str], alone: bool
) -> datetime:
    """Write the outcome, through a database that is away for a while. Later the sweep finds the attempt open."""
    deadline = time.monotonic() + RECORD_FOR_SECONDS
    while True:
        try:
            return record(delivery, started.attempt, started.number, result, checks=checks, alone=alone)
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                log.error("The outcome of a delivery could not be recorded; it will be looked up.")
                raise
            time.sleep(0.5)
            close_old_connections()


def record(
    delivery: Delivery,
    attempt_id: UUID,
    number: int,
    result: SendResult,
    *,
    checks: Sequence[str] = ("grant", "send"),
    alone: bool = False,
) -> datetime:
    """Outcome, delivery and proof in one transaction, guarded: a late truth still replaces an UNKNOWN.

    A success is written as the proof of ``checks``. ``alone``: the email has no other copy. Returns when it was.
    """
    now = clock.now()
    if result.outcome is not Outcome.ACCEPTED or not _accept(
        delivery, attempt_id, result, now, checks=checks, alone=alone
    ):
        _record(delivery, attempt_id, number, result, now)
    return now


def _accept(
    delivery: Delivery,
    attempt_id: UUID,
    result: SendResult,
    now: datetime,
    *,
    checks: Sequence[str],
    alone: bool,
) -> bool:
    """An accepted first answer, by far the most frequent outcome; False where the attempt is not open any more."""
    with nullcontext() if alone else transaction.atomic():
        done = rows.accept(
            attempt=attempt_id,
            connection_id=delivery.connection_id,
            now=now,
            milliseconds=result.milliseconds,
            message_id=result.message_id[:255],
            thread_id=result.thread_id[:255],
            checks=list(checks),
        )
        if done.recorded and not done.shown:
            refresh_email(delivery.email_id, problem="")
    if done.shown:
        live_events.publish_soon(delivery.email.organization_id, "email", [delivery.email_id])
    return done.recorded


def _record(delivery: Delivery, attempt_id: UUID, number: int, result: SendResult, now: datetime) -> None:
    """Any outcome, step by step."""
    connection = delivery.connection
    with transaction.atomic():
        told = {
            "outcome": result.outcome,
            "finished_at": now,
            "cause": result.cause,
            "words": result.words[:500],
            "milliseconds": result.milliseconds,
        }
        attempt = Attempt.objects.filter(pk=attempt_id)
        if attempt.filter(outcome="").update(**told) != 1:
            late = attempt.filter(outcome=Outcome.UNKNOWN)
            if late.update(**told, settled_at=now, settled_by=SettledBy.WORKER) != 1:
                return
        settled = _settle(delivery, attempt.get(), result, number, now)
        Delivery.objects.filter(
            pk=delivery.pk, status__in=(DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN)
        ).update(**settled)
        if settled["due_at"] is not None or settled["status"] == DeliveryStatus.UNKNOWN:
            _rest(connection, result, settled["due_at"], now)
        evidence = _evidence(result)
        if evidence:
            proofs.record(
                connection, evidence, kind=LedgerKind.SEND, trigger="send", ref=str(delivery.pk), at=now
            )
        else:
            proofs.note(
                connection,
                LedgerKind.SEND,
                trigger="send",
                result=result.cause or result.outcome,
                words=result.words,
                ref=str(delivery.pk),
                at=now,
            )
        problem = "" if settled["status"] == DeliveryStatus.ACCEPTED else result.cause
        refresh_email(delivery.email_id, problem=problem)


def _settle(
    delivery: Delivery, attempt: Attempt, result: SendResult, number: int, now: datetime
) -> dict[str, Any]:
    """The fields of a delivery after an outcome."""
    fields: dict[str, Any] = {"due_at": None, "held_cause": "", "look_at": None, "ask_from": None}
    if result.outcome is Outcome.ACCEPTED:
        return fields | {
            "status": DeliveryStatus.ACCEPTED,
            "sent_at": now,
            "provider_message_id": result.message_id[:255],
            "provider_thread_id": result.thread_id[:255],
        }
    if result.outcome is Outcome.UNKNOWN:
        return fields | unknown(attempt, now)
    if result.cause in _RENEW_ON and number < 3:
        return fields | {"status": DeliveryStatus.QUEUED, "due_at": now}
    if result.cause in _OF_THE_EMAIL:
        return fields | {"status": DeliveryStatus.REFUSED}
    queued = fields | {"status": DeliveryStatus.QUEUED}
    if cause(result.cause).severity is Severity.BROKEN or number >= MOST_TRIES:
        return queued | {"held_cause": result.cause}
    if readiness.opens_by_itself(result.cause):
        opens = result.retry_at or now + (cause(result.cause).lasts or timedelta(hours=1))
        return queued | {"held_cause": result.cause, "due_at": opens}
    return queued | {"due_at": result.retry_at or _later(number, now)}


def unknown(attempt: Attempt, now: datetime) -> dict[str, Any]:
    """The fields of a delivery whose ``attempt`` may or may not have sent it: when to look, from when to ask.

    Nobody can tell that it is absent before no byte can leave any more, and the provider has had its quiet time.
    """
    real = attempt.over_at or attempt.started_real_at + timedelta(seconds=FENCE_SECONDS + total_timeout(0))
    quiet = timedelta(seconds=env.number("QUIET_TIME"))
    return {
        "status": DeliveryStatus.UNKNOWN,
        "due_at": None,
        "look_at": now + _FIRST_LOOK,
        "ask_from": attempt.started_at + (real - attempt.started_real_at) + quiet,
    }


def _rest(connection: Connection, result: SendResult, due_at: datetime | None, now: datetime) -> None:
    """What stands in the way of one email stands in the way of its mailbox: the others wait as long.

    Without it a provider that throttles, or never answers, would be met once for each of them.
    """
    if cause(result.cause).severity is not Severity.ATTENTION or readiness.opens_by_itself(result.cause):
        return  # a limit shuts the gate, and each email says so when its turn comes
    until = due_at or now + timedelta(seconds=_BACKOFF_SECONDS[min(_streak(connection), 4)])
    waiting = Delivery.objects.filter(connection=connection, status=DeliveryStatus.QUEUED, due_at__lt=until)
    waiting.filter(held_cause="").update(due_at=until)


def _streak(connection: Connection) -> int:
    """How many of the newest attempts in a row came to nothing (at most 5)."""
    newest = Attempt.objects.filter(delivery__connection=connection).exclude(outcome="")
    outcomes = list(newest.order_by("-started_at").values_list("outcome", flat=True)[:5])
    return next((n for n, one in enumerate(outcomes) if one == Outcome.ACCEPTED), len(outcomes))


def _later(number: int, now: datetime) -> datetime:
    return now + timedelta(seconds=_BACKOFF_SECONDS[min(number, len(_BACKOFF_SECONDS)) - 1])


def _evidence(result: SendResult) -> list[Evidence]:
    """What the answer to a send proves of the connection; a refused recipient or message proves nothing."""
    if result.outcome is Outcome.ACCEPTED:
        return [Evidence("grant", True, "send"), Evidence("send", True, "send")]
    if (
        cause(result.cause).severity in {Severity.BROKEN, Severity.ATTENTION}
        and result.cause != "access_refused"
    ):
        return [Evidence("send", False, "send", result.cause, result.words, until=result.retry_at)]
    return []


def _wait_for(delivery: Delivery, code: str, draft: readiness.Draft) -> None:
    """A gate is shut: a limit opens by itself at its time; anything else is held for a person."""
    if not readiness.opens_by_itself(code):
        _hold(delivery, code)
        return
    send = draft.connection.verdict.capability("send") if draft.connection else None
    limit = cause(code).lasts or timedelta(hours=1)
    proof = send.proof if send else None
    opens = (proof.until or proof.at + limit) if proof else clock.now() + limit
    _put_back(delivery, code, due_at=max(opens, clock.now() + timedelta(seconds=1)), held_cause=code)


def _hold(delivery: Delivery, code: str) -> None:
    """Nothing was tried: the delivery waits, visibly, until the cause is gone and somebody releases it."""
    _put_back(delivery, code, due_at=None, held_cause=code)


def _refuse(delivery: Delivery, code: str) -> None:
    """Nothing was tried, and trying again would end the same."""
    _put_back(delivery, code, status=DeliveryStatus.REFUSED, due_at=None, held_cause="")


def _postpone(delivery: Delivery, code: str, number: int, retry_at: datetime | None) -> None:
    """Not now: hold when only a person helps, else come back later."""
    if readiness.blocks(code):
        _hold(delivery, code)
    else:
        due_at = retry_at or _later(max(3, number), clock.now())
        _put_back(delivery, code, due_at=due_at, held_cause="")


def _put_back(delivery: Delivery, code: str, **fields: object) -> None:
    """Change a delivery that still waits, and say why; one that was cancelled meanwhile stays as it is."""
    with transaction.atomic():
        if Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.QUEUED).update(**fields):
            refresh_email(delivery.email_id, problem=code)
