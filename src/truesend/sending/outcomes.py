"""What an outcome makes of a delivery and its mailbox: where it goes, when it is due again, what it proves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from truesend import env
from truesend.connections.causes import Severity, cause
from truesend.connections.models import Connection
from truesend.providers.contract import Evidence
from truesend.providers.errors import Outcome, SendResult
from truesend.providers.http import total_timeout
from truesend.sending import readiness, schedule
from truesend.sending.models import Attempt, Delivery, DeliveryStatus

# Bytes may leave only this long after the attempt was committed as started: a worker that was paused must not send.
FENCE_SECONDS = 10.0
_BACKOFF_SECONDS = (2, 5, 15, 60, 300, 900)
# About a day of tries; then a person decides.
MOST_TRIES = 100
# Refused although the token is fresh: one renewal decides.
RENEW_ON = frozenset({"access_refused"})
# These concern one email; every other refusal concerns the mailbox.
_OF_THE_EMAIL = frozenset(
    {
        "recipient_refused",
        "recipient_opted_out",
        "recipient_blocked",
        "message_refused",
        "message_too_large",
        "provider_refused",
        "not_found",
    }
)
# First look into Sent after an unknown outcome.
_FIRST_LOOK = timedelta(seconds=3)


def settle(attempt: Attempt, result: SendResult, number: int, now: datetime) -> dict[str, Any]:
    """The fields of a delivery after an outcome."""
    fields: dict[str, Any] = {
        "due_at": None,
        "held_cause": "",
        "look_at": None,
        "ask_from": None,
        "look_late_at": None,
    }
    if result.outcome is Outcome.ACCEPTED:
        return fields | {
            "status": DeliveryStatus.ACCEPTED,
            "sent_at": now,
            "provider_message_id": result.message_id[:255],
            "provider_thread_id": result.thread_id[:255],
        }
    if result.outcome is Outcome.UNKNOWN:
        return fields | unknown(attempt, now)
    if result.cause in RENEW_ON and not _refused_twice(attempt):
        return fields | {"status": DeliveryStatus.QUEUED, "due_at": now}
    if result.cause == "not_found" and _lost_its_thread(attempt):
        return fields | {"status": DeliveryStatus.QUEUED, "due_at": now}
    if result.cause in _OF_THE_EMAIL:
        return fields | {"status": DeliveryStatus.REFUSED}
    queued = fields | {"status": DeliveryStatus.QUEUED}
    if readiness.blocks(result.cause) or number >= MOST_TRIES:
        return queued | {"held_cause": result.cause}
    if readiness.opens_by_itself(result.cause):
        opens = result.retry_at or now + (cause(result.cause).lasts or timedelta(hours=1))
        # That hour is told, so it is not late then.
        return queued | {"held_cause": result.cause, "due_at": opens, "late_after": schedule.moved(opens)}
    return queued | {"due_at": result.retry_at or later(number, now)}


def _refused_twice(attempt: Attempt) -> bool:
    """Whether the two tries right before met the same, each with another key: however many were throttled earlier."""
    before = Attempt.objects.filter(delivery=attempt.delivery_id, number__lt=attempt.number)
    causes = list(before.order_by("-number").values_list("cause", flat=True)[:2])
    return len(causes) == 2 and RENEW_ON.issuperset(causes)


def _lost_its_thread(attempt: Attempt) -> bool:
    """Whether its conversation is not in the mailbox any more: once, and the next try goes without its number."""
    before = Attempt.objects.filter(
        delivery=attempt.delivery_id, number__lt=attempt.number, cause="not_found"
    )
    return attempt.delivery.email.reply_to_id is not None and not before.exists()


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


def rest(connection: Connection, result: SendResult, due_at: datetime | None, now: datetime) -> None:
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


def later(number: int, now: datetime) -> datetime:
    """When a delivery that was tried ``number`` times is tried again: ever more rarely."""
    return now + timedelta(seconds=_BACKOFF_SECONDS[min(number, len(_BACKOFF_SECONDS)) - 1])


def evidence(result: SendResult, *, held: bool) -> list[Evidence]:
    """What the answer to a send proves of the connection; a refused recipient or message proves nothing.

    A refused key proves something only where ``held`` says that a new one was refused too.
    """
    if result.outcome is Outcome.ACCEPTED:
        return [Evidence("grant", True, "send"), Evidence("send", True, "send")]
    if cause(result.cause).severity in {Severity.BROKEN, Severity.ATTENTION} and (
        held or result.cause not in RENEW_ON
    ):
        return [Evidence("send", False, "send", result.cause, result.words, until=result.retry_at)]
    return []
