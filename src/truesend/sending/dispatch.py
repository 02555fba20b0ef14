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
from uuid import UUID, uuid4

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    transaction,
)
from django.db.models import QuerySet

from truesend import clock, live_events
from truesend.connections import proofs
from truesend.connections.describe import Description
from truesend.connections.models import LedgerKind
from truesend.organizations import installation
from truesend.providers import registry
from truesend.providers.contract import Message, Provider
from truesend.providers.errors import Outcome, ProviderError, SendResult
from truesend.providers.http import total_timeout
from truesend.runtime import identity
from truesend.sending import (
    bucket,
    clearing,
    holding,
    letters,
    outcomes,
    pace,
    preparing,
    readiness,
    rows,
    schedule,
    waiting,
)
from truesend.sending.box import Box
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, SettledBy
from truesend.sending.reading import Due
from truesend.sending.settle import refresh_email

log = logging.getLogger("truesend.sending")

RECORD_FOR_SECONDS = 60.0
# A client that is refused without a time is asked again after one minute, the span of its quota.
_CLIENT_RESTS = timedelta(minutes=1)


class FencePassed(Exception):
    """Too late to let the first byte out."""


@dataclass(frozen=True)
class Started:
    """An attempt that is committed as started, and until when its bytes may leave (`clock.steady` seconds)."""

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
            elif schedule.is_late(due.delivery.late_after, clock.now()):
                holding.hold_late(connection_id)
            elif pace.keeps_back(due):
                box.doubt()
            elif not _send(box, due):
                return  # somebody else has it: the waker comes by again
    finally:
        box.close()


def _send(box: Box, due: Due) -> bool:
    """Try one delivery; False where it could not be taken and still stands as it was."""
    delivery, number = due.delivery, due.number
    described = box.described()
    connection = delivery.connection = described.connection
    built = _put_together(box, due, described)
    if built is None:
        return True
    message, links, draft = built
    draft = replace(draft, plan=box.allowance.plan(due))
    gate = readiness.check(box.member(delivery), draft).keeps_back()
    if gate is not None:
        # Only what holds at this moment keeps an email back.
        draft = replace(draft, connection=box.look())
        gate = readiness.check(box.member(delivery), draft).keeps_back()
    if gate is not None:
        waiting.wait_for(box, due, gate, draft)
        return True
    if (throttled := waiting.throttled_until(draft)) is not None:
        waiting.queue_up(delivery, "throttled", throttled)
        return False
    try:
        # A refusal of the token right before this try asks for a new one, once in a row.
        access = box.access(refused=due.last_cause in outcomes.RENEW_ON)
    except ProviderError as error:
        box.doubt()
        waiting.postpone(delivery, error.cause, number, error.retry_at)
        return True
    position = box.position(access)
    wait = bucket.take(connection.provider)
    if wait:
        waiting.queue_up(delivery, "client_throttled", clock.now() + timedelta(seconds=wait))
        return False
    adapter = registry.provider(connection.provider)
    prepares = adapter.prepares(box.capabilities())
    seconds = total_timeout(message.size) + preparing.seconds_for(message)
    # Files go apart where a draft is prepared; if that has just changed, it is put together anew.
    fits = prepares or not message.apart
    started = (
        _start(delivery, number, links, seconds=seconds, position=position, preparing=prepares)
        if fits
        else None
    )
    if started is None:
        return False
    box.allowance.spend(due)
    result = _hand_over(adapter, started, due, message, access, prepares=prepares)
    if result is None:
        return False
    checks = box.checks()
    at = _record_stubbornly(delivery, started, result, checks=checks, alone=due.alone)
    if result.client_wide:
        _close_client(connection.provider, result)
    if result.outcome is Outcome.ACCEPTED:
        box.succeeded(delivery, result.message_id, checks, at)
    else:
        box.doubt()
    return True


def _put_together(
    box: Box, due: Due, described: Description
) -> tuple[Message, list[letters.Link], readiness.Draft] | None:
    """The message, its links and its draft; None where there is none, or not now: then its delivery says so."""
    try:
        if due.delivery.email.sender:
            box.look_at_senders(refused=due.last_cause in outcomes.RENEW_ON)
        return letters.build(due, described, tracks_shown=box.tracks_shown)
    except (DatabaseError, InterfaceError):
        raise
    except ProviderError as error:
        box.doubt()
        waiting.postpone(due.delivery, error.cause, due.number, error.retry_at)
    except Exception:
        # One email that cannot be put together must not stop the mailbox behind it.
        log.exception("An email could not be put together; it is refused, and nothing was sent.")
        waiting.refuse(due.delivery, "message_unbuildable")
    return None


def _hand_over(
    adapter: Provider, started: Started, due: Due, message: Message, access: str, *, prepares: bool
) -> SendResult | None:
    """Prepare where the provider wants it, then send behind the fence; None where somebody has judged the attempt."""
    reference, until = "", started.until
    if prepares:
        prepared = preparing.prepare(adapter, started.attempt, due, message, access, until=until)
        if not isinstance(prepared, preparing.Prepared):
            return prepared
        reference, until = prepared.reference, prepared.until

    def fence() -> None:
        if clock.steady() > until:
            raise FencePassed

    try:
        return adapter.send(message, access, reference=reference, fence=fence)
    except FencePassed:
        return SendResult(Outcome.NOT_SENT, "fence_passed", "")


def _close_client(provider: str, result: SendResult) -> None:
    """The provider refuses the installation's client: no mailbox asks before it is over."""
    until = result.retry_at or clock.now() + _CLIENT_RESTS
    try:
        bucket.drain(provider, until)
    except DatabaseError:
        log.info("The limit of a client was not noted; the next send meets it again.")


def _start(
    delivery: Delivery,
    number: int,
    links: list[letters.Link],
    *,
    seconds: float,
    position: str = "",
    preparing: bool = False,
) -> Started | None:
    """Commit the attempt as started; None when somebody else has the delivery or it is no longer due.

    ``seconds`` is the most that the call may take once its first byte has left.
    """
    until = clock.steady() + outcomes.FENCE_SECONDS
    real_now, attempt = clock.real_now(), uuid4()
    try:
        taken = rows.start(
            delivery=delivery.pk,
            attempt=attempt,
            number=number,
            links=links,
            now=clock.now(),
            real=real_now,
            over=real_now + timedelta(seconds=outcomes.FENCE_SECONDS + seconds),
            position=position,
            worker=identity.worker_name(),
            preparing=preparing,
        )
    except IntegrityError as error:
        if "attempt_" not in str(error):
            raise
        return None  # an attempt of it is open, or was accepted
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
            if result.outcome is Outcome.UNKNOWN:
                return  # no news
            late = attempt.filter(outcome=Outcome.UNKNOWN)
            if late.update(**told, settled_at=now, settled_by=SettledBy.WORKER) != 1:
                if result.outcome is Outcome.ACCEPTED:
                    _arrived_after_all(delivery, attempt, now)
                return
        tried = attempt.get()
        settled = outcomes.settle(tried, result, number, now)
        left = clearing.after(tried, connection.provider, now) if result.outcome is Outcome.NOT_SENT else {}
        Delivery.objects.filter(
            pk=delivery.pk, status__in=(DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN)
        ).update(**settled, **left)
        if settled["due_at"] is not None or settled["status"] == DeliveryStatus.UNKNOWN:
            outcomes.rest(connection, result, settled["due_at"], now)
        evidence = outcomes.evidence(result, held=bool(settled["held_cause"]))
        if evidence:
            proofs.record(
                connection,
                evidence,
                kind=LedgerKind.SEND,
                trigger="send",
                ref=str(delivery.pk),
                outcome=result.outcome,
                at=now,
            )
        else:
            proofs.note(
                connection,
                LedgerKind.SEND,
                trigger="send",
                result=result.cause or result.outcome,
                words=result.words,
                ref=str(delivery.pk),
                outcome=result.outcome,
                at=now,
            )
        problem = "" if settled["status"] == DeliveryStatus.ACCEPTED else result.cause
        refresh_email(delivery.email_id, problem=problem)


def _arrived_after_all(delivery: Delivery, attempt: QuerySet[Attempt], now: datetime) -> None:
    """It had been judged not sent, by a person mostly: that it may be there twice is told, and nothing else changes."""
    if attempt.filter(outcome=Outcome.NOT_SENT, arrived_at=None).update(arrived_at=now) != 1:
        return
    words, ref = "Accepted after all", str(delivery.pk)
    proofs.note(delivery.connection, LedgerKind.SEND, trigger="late", result="ok", words=words, ref=ref)
    live_events.publish(delivery.email.organization_id, "email", [delivery.email_id])
