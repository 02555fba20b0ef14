"""The tries of an email in its timeline: what each came to, and how what was unknown was cleared up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from truesend.connections.causes import core, sentence
from truesend.connections.models import LedgerEntry, LedgerKind
from truesend.sending import reconcile
from truesend.sending.explain import reason
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Outcome, SettledBy
from truesend.sending.outcomes import RENEW_ON

_OPEN_TITLES = {
    "provider_timeout": "{provider} never answered",
    "provider_cut_off": "The connection broke",
    "worker_lost": "Our worker ended midway",
    "restored": "A backup was restored",
}
# Above so many copies the accepted ones are one line; and so many tries that failed are shown at most.
_FOLD_ABOVE, _MOST_ATTEMPTS = 10, 100


def lines(
    deliveries: Sequence[Delivery], attempts: Sequence[Attempt], provider: str, labels: Mapping[UUID, str]
) -> list[dict[str, Any]]:
    """The timeline's items of all tries, in no order."""
    told: list[dict[str, Any]] = []
    ended = [one for one in attempts if one.outcome]
    if len(deliveries) > _FOLD_ABOVE:
        told += _folded(deliveries, provider)
        ended = [one for one in ended if one.outcome != Outcome.ACCEPTED or one.settled_by]
    shown = sorted(ended, key=lambda one: one.started_at, reverse=True)[:_MOST_ATTEMPTS]
    people = _people(shown, deliveries)
    # Tried again is not sent again: only a later try that was taken over, or may have been.
    later = {(one.delivery_id, one.number) for one in attempts if one.outcome != Outcome.NOT_SENT}
    copies = {one.pk: one for one in deliveries}
    for attempt in shown:
        tail = f" To {labels[attempt.delivery_id]}." if attempt.delivery_id in labels else ""
        if not attempt.settled_by:
            told.append(
                _overcome(attempt, attempts, copies, provider, tail) or _attempt(attempt, provider, tail)
            )
            continue
        told.append(_left_open(attempt, provider, tail))
        again = any((attempt.delivery_id, number) in later for number in _after(attempt, attempts))
        copy = copies[attempt.delivery_id]
        told.append(_settled(attempt, provider, tail, people.get(attempt.pk, ""), copy, again=again))
        if attempt.arrived_at is not None:
            told.append(_arrived_after_all(attempt, provider, tail, copy))
    return told


def _overcome(
    attempt: Attempt, attempts: Sequence[Attempt], copies: Mapping[UUID, Delivery], provider: str, tail: str
) -> dict[str, Any] | None:
    """A refusal that asked nothing of anybody: told calmly, once it is over or while a new key is fetched."""
    if attempt.outcome != Outcome.NOT_SENT:
        return None
    at, copy = attempt.finished_at or attempt.started_at, copies[attempt.delivery_id]
    through = copy.status == DeliveryStatus.ACCEPTED
    if attempt.cause in RENEW_ON:
        numbers = _after(attempt, attempts)
        same = (one for one in attempts if one.delivery_id == copy.pk and one.number in numbers)
        # Another answer than this one shows that the new key was taken.
        renewed = any(one.cause not in RENEW_ON for one in same)
        if not renewed and (copy.status != DeliveryStatus.QUEUED or copy.held_cause):
            return None
        then = "sent" if through else "tried again"
        return _line("send", "none", "The key had expired", f"Renewed by itself and {then}.{tail}", at)
    if not through:
        return None
    said = core(attempt.cause, provider, attempt.words)
    return _line("warn", "none", "Not accepted at first", f"{said} A later try went through.{tail}", at)


def _after(attempt: Attempt, attempts: Sequence[Attempt]) -> list[int]:
    """The numbers of the later tries of the same copy."""
    same = (one.number for one in attempts if one.delivery_id == attempt.delivery_id)
    return [number for number in same if number > attempt.number]


def _folded(deliveries: Sequence[Delivery], provider: str) -> list[dict[str, Any]]:
    """One line for the accepted copies of a large email."""
    times = [one.sent_at for one in deliveries if one.status == DeliveryStatus.ACCEPTED and one.sent_at]
    if not times:
        return []
    copies = f"{len(times)} of {len(deliveries)} copies."
    return [_line("send", "ok", f"Accepted by {provider}", copies, max(times))]


def _people(attempts: Collection[Attempt], deliveries: Sequence[Delivery]) -> Mapping[UUID, str]:
    """Who said what became of an attempt; the ledger keeps it."""
    said = [one for one in attempts if one.settled_by == SettledBy.PERSON and one.settled_at]
    if not said:
        return {}
    times = [one.settled_at for one in said if one.settled_at]
    entries = LedgerEntry.objects.filter(
        connection__in={one.connection_id for one in deliveries},
        kind=LedgerKind.SEND,
        result__startswith="settled_",
        ref__in=[str(one.delivery_id) for one in said],
        at__range=(min(times) - timedelta(minutes=1), max(times) + timedelta(minutes=1)),
    )
    found = list(entries)
    who = {}
    for one in said:
        own = [entry for entry in found if entry.ref == str(one.delivery_id)]
        nearest = min(own, key=lambda entry: abs(entry.at - (one.settled_at or entry.at)), default=None)
        if nearest is not None:
            who[one.pk] = nearest.trigger
    return who


def _line(icon: str, state: str, title: str, text: str, at: object) -> dict[str, Any]:
    return {
        "icon": icon,
        "state": state,
        "title": title,
        "confidence_label": None,
        "sentence": text.strip(),
        "at": at,
    }


def _attempt(attempt: Attempt, provider: str, tail: str) -> dict[str, Any]:
    if attempt.outcome == Outcome.UNKNOWN:
        return _left_open(attempt, provider, tail)
    at = attempt.finished_at or attempt.started_at
    if attempt.outcome == Outcome.ACCEPTED:
        tries = "First try" if attempt.number == 1 else f"Try {attempt.number}"
        took = f", {attempt.milliseconds} ms" if attempt.milliseconds is not None else ""
        return _line("send", "ok", f"Accepted by {provider}", f"{tries}{took}.{tail}", at)
    return _line("bad", "bad", "Not accepted", sentence(attempt.cause, provider, attempt.words) + tail, at)


def _arrived_after_all(attempt: Attempt, provider: str, tail: str, copy: Delivery) -> dict[str, Any]:
    """Told too late: it had been judged not sent, and something may have followed from that."""
    then = {
        DeliveryStatus.QUEUED: "The second one waits still: Cancel stops it.",
        DeliveryStatus.CANCELLED: "It was not to be sent any more, and is there.",
        DeliveryStatus.REFUSED: "It is there once: the second one was refused.",
    }.get(DeliveryStatus(copy.status), "This person may have it twice.")
    text = f"{provider} had taken over what was tried first. {then}"
    return _line("warn", "warn", "It had arrived after all", text + tail, attempt.arrived_at)


def _left_open(attempt: Attempt, provider: str, tail: str) -> dict[str, Any]:
    late = attempt.settled_by == SettledBy.WORKER
    # The worker that reported late has written its own words over the first ones.
    cause = "worker_lost" if late else attempt.cause
    title = _OPEN_TITLES.get(cause, "No clear answer from {provider}").format(provider=provider)
    # Where a connection broke the words are our own, and said already.
    said = f" {provider} said “{attempt.words}”." if attempt.words and cause not in _OPEN_TITLES else ""
    at = attempt.started_at if late else attempt.finished_at or attempt.started_at
    why = reason(cause, provider)
    # Once it is settled, the doubt is history.
    doubt = (
        "It may or may not have been sent"
        if not attempt.settled_by
        else "It was open whether it had been sent"
    )
    return _line("warn", "warn", title, f"{doubt}: {why}.{said}{tail}", at)


def _settled(
    attempt: Attempt, provider: str, tail: str, who: str, copy: Delivery, *, again: bool
) -> dict[str, Any]:
    """How it was cleared up: found, proved absent, said by a person, or told late by the worker."""
    accepted = attempt.outcome == Outcome.ACCEPTED
    by, at = attempt.settled_by, attempt.settled_at
    if by == SettledBy.SENT and accepted:
        return _line("send", "ok", "Found in Sent", f"{provider} had taken it over after all.{tail}", at)
    if by == SettledBy.SENT:
        text = "Nothing had left, so it is sent again by itself."
        if attempt.cause == reconcile.RESTORED:
            text = "Nothing had left. It goes when somebody lets it."
        elif again:
            text = "Nothing had left, so it was sent again by itself."
        return _line("warn", "none", "Not in Sent", text + tail, at)
    if by == SettledBy.PERSON and accepted:
        return _line(
            "person", "ok", f"{who or 'Somebody'} said it was in Sent", f"It counts as sent.{tail}", at
        )
    if by == SettledBy.PERSON:
        given_up = copy.status == DeliveryStatus.CANCELLED and not again
        text = "It is not sent any more." if given_up else "So it is to be sent again."
        if again:
            text = "So it was sent again."
        return _line("person", "none", f"{who or 'Somebody'} said it was not in Sent", text + tail, at)
    if accepted:
        return _line("send", "ok", f"Accepted by {provider}", f"Our worker reported it late.{tail}", at)
    return _line("bad", "bad", "Not accepted", sentence(attempt.cause, provider, attempt.words) + tail, at)
