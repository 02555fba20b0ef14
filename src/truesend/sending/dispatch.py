"""Sending one delivery: start committed, one call behind the fence, outcome recorded.

Nothing that can fail stands between the provider's answer and its record, and nothing here ever sends again on its
own guess: only NOT_SENT goes back into the queue.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
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

from truesend import clock
from truesend.connections import proofs, tokens
from truesend.connections.causes import Severity, cause
from truesend.connections.models import Connection, LedgerKind
from truesend.providers import registry
from truesend.providers.contract import Capability, Evidence
from truesend.providers.errors import Outcome, ProviderError, SendResult
from truesend.runtime import identity
from truesend.sending import letters, readiness
from truesend.sending.models import Attempt, Delivery, DeliveryStatus
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
    while True:
        close_old_connections()
        delivery = (
            Delivery.objects.filter(connection_id=connection_id, due_at__lte=clock.now())
            .select_related(
                "email", "email__member__user", "email__member__organization", "connection__member__user"
            )
            .order_by("due_at", "email_id", "position")
            .first()
        )
        if delivery is None or identity.is_stopping():
            return
        if not _send(delivery):
            return  # somebody else has it: the waker comes by again


def _send(delivery: Delivery) -> bool:
    """Try one delivery; False where it could not be taken and still stands as it was."""
    connection, email = delivery.connection, delivery.email
    try:
        letter, links, draft = letters.build(delivery)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        # One email that cannot be put together must not stop the mailbox behind it.
        log.exception("An email could not be put together; it is refused, and nothing was sent.")
        _refuse(delivery, "message_unbuildable")
        return True
    gate = readiness.check(email.member, draft).first_closed()
    if gate is not None:
        _wait_for(delivery, gate.cause, draft)
        return True
    number = Attempt.objects.filter(delivery=delivery).count() + 1
    try:
        # A refusal of the token right before this try asks for a new one, once in a row.
        last = Attempt.objects.filter(delivery=delivery).order_by("-number").first()
        renew = last is not None and last.cause in _RENEW_ON
        access = tokens.access_token(connection, trigger="send", renew=renew)
    except ProviderError as error:
        _postpone(delivery, error.cause, number, error.retry_at)
        return True
    started = _start(delivery, number, links)
    if started is None:
        return False

    def fence() -> None:
        if time.monotonic() > started.until:
            raise FencePassed

    try:
        result = registry.provider(connection.provider).send(letter, access, fence=fence)
    except FencePassed:
        result = SendResult(Outcome.NOT_SENT, "fence_passed", "")
    _record_stubbornly(delivery, started, result)
    if result.outcome is Outcome.ACCEPTED:
        _enrich(delivery, access, result)
    return True


def _start(delivery: Delivery, number: int, links: list[letters.Link]) -> Started | None:
    """Commit the attempt as started; None when somebody else has the delivery or it is no longer due."""
    until = time.monotonic() + FENCE_SECONDS
    attempt = Attempt(
        id=uuid4(),
        delivery=delivery,
        number=number,
        started_at=clock.now(),
        started_real_at=clock.real_now(),
        worker=identity.worker_name(),
    )
    try:
        with transaction.atomic():
            taken = Delivery.objects.filter(
                pk=delivery.pk, status=DeliveryStatus.QUEUED, due_at__lte=clock.now()
            ).update(status=DeliveryStatus.SENDING, due_at=None, links=links)
            if taken != 1:
                return None
            attempt.save(force_insert=True)
            refresh_email(delivery.email_id)
    except IntegrityError:
        return None
    return Started(attempt.pk, number, until)


def _record_stubbornly(delivery: Delivery, started: Started, result: SendResult) -> None:
    """Write the outcome, through a database that is away for a while. Later the sweep finds the attempt open."""
    deadline = time.monotonic() + RECORD_FOR_SECONDS
    while True:
        try:
            record(delivery, started.attempt, started.number, result)
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                log.error("The outcome of a delivery could not be recorded; it will be looked up.")
                raise
            time.sleep(0.5)
            close_old_connections()
        else:
            return


def record(delivery: Delivery, attempt_id: UUID, number: int, result: SendResult) -> None:
    """Outcome, delivery and proof in one transaction, guarded: a late truth still replaces an UNKNOWN."""
    now = clock.now()
    connection = delivery.connection
    with transaction.atomic():
        open_or_unknown = Attempt.objects.filter(pk=attempt_id, outcome__in=("", Outcome.UNKNOWN))
        changed = open_or_unknown.update(
            outcome=result.outcome,
            finished_at=now,
            cause=result.cause,
            words=result.words[:500],
            milliseconds=result.milliseconds,
        )
        if changed != 1:
            return
        status, due_at = _next(result, number, now)
        Delivery.objects.filter(
            pk=delivery.pk, status__in=(DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN)
        ).update(
            status=status,
            due_at=due_at,
            sent_at=now if status == DeliveryStatus.ACCEPTED else None,
            provider_message_id=result.message_id[:255],
            provider_thread_id=result.thread_id[:255],
        )
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
        problem = "" if status == DeliveryStatus.ACCEPTED else result.cause
        refresh_email(delivery.email_id, problem=problem)


def _next(result: SendResult, number: int, now: datetime) -> tuple[DeliveryStatus, datetime | None]:
    """Where the delivery goes, and when it is due again (None: held, or finished)."""
    if result.outcome is Outcome.ACCEPTED:
        return DeliveryStatus.ACCEPTED, None
    if result.outcome is Outcome.UNKNOWN:
        return DeliveryStatus.UNKNOWN, None
    if result.cause in _RENEW_ON and number < 3:
        return DeliveryStatus.QUEUED, now
    severity = cause(result.cause).severity
    if result.cause in {"recipient_refused", "message_refused", "provider_refused", "not_found"}:
        return DeliveryStatus.REFUSED, None
    if severity is Severity.BROKEN or number >= MOST_TRIES:
        return DeliveryStatus.QUEUED, None
    return DeliveryStatus.QUEUED, result.retry_at or _later(number, now)


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
    _postpone(delivery, code, 1, send.proof.until if send and send.proof else None)


def _hold(delivery: Delivery, code: str) -> None:
    """Nothing was tried: the delivery waits, visibly, until the cause is gone and somebody releases it."""
    _put_back(delivery, code, due_at=None)


def _refuse(delivery: Delivery, code: str) -> None:
    """Nothing was tried, and trying again would end the same."""
    _put_back(delivery, code, status=DeliveryStatus.REFUSED, due_at=None)


def _postpone(delivery: Delivery, code: str, number: int, retry_at: datetime | None) -> None:
    """Not now: hold when only a person helps, else come back later."""
    if readiness.blocks(code):
        _hold(delivery, code)
    else:
        _put_back(delivery, code, due_at=retry_at or _later(max(3, number), clock.now()))


def _put_back(delivery: Delivery, code: str, **fields: object) -> None:
    """Change a delivery that still waits, and say why; one that was cancelled meanwhile stays as it is."""
    with transaction.atomic():
        if Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.QUEUED).update(**fields):
            refresh_email(delivery.email_id, problem=code)


def _enrich(delivery: Delivery, access: str, result: SendResult) -> None:
    """Read the real Message-ID back where the mailbox may be read; the record stands without it."""
    connection: Connection = delivery.connection
    adapter = registry.provider(connection.provider)
    if Capability.READ not in adapter.granted(connection.granted_scopes) or not result.message_id:
        return
    try:
        copy = adapter.sent_copy(access, result.message_id)
    except ProviderError:
        return
    try:
        Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.ACCEPTED).update(
            message_id=copy.internet_message_id[:998]
        )
    except DatabaseError:
        log.info("The Message-ID of an accepted delivery could not be noted.")
