"""Rows as the API shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from truesend.alerts.offers import fix_of
from truesend.connections.describe import Description
from truesend.connections.verdict import ProofFact
from truesend.inbox import clocks, offsets
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending import progress
from truesend.sending.models import Attempt, Delivery, Email, EmailStatus, Recipient
from truesend.sending.problems import Problem, problems_of
from truesend.sending.tries import words as attempt_words
from truesend.tracking import query
from truesend.tracking.models import Signal
from truesend.tracking.troubles import Trouble, troubles_of


def connection(member: Member, described: Description) -> dict[str, Any]:
    """A connection with its verdict, and the help that is this member's to give."""
    row = described.connection
    return {
        "id": str(row.pk),
        "provider": row.provider,
        "kind": row.kind,
        "address": row.address,
        "place": registry.provider(row.provider).place_of(row.subject),
        "verdict": described.verdict.verdict.value,
        "cause": described.verdict.cause or None,
        "sentence": described.sentence,
        "fix": fix_of(member, described),
        "who": described.who,
        "verified_at": described.verified_at,
        "last_refresh_at": described.last_refresh_at,
        "next_refresh_at": described.next_refresh_at,
        "capabilities": [
            {
                "name": one.name,
                "verdict": one.verdict.value,
                "cause": one.cause or None,
                "proof": _proof(one.proof),
            }
            for one in described.verdict.capabilities
        ],
    }


def _proof(proof: ProofFact | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    return {
        "at": proof.at,
        "call": proof.call,
        "result": "ok" if proof.ok else proof.cause,
        "words": proof.words,
    }


def emails(rows: Iterable[Email]) -> list[dict[str, Any]]:
    """Emails with deliveries, recipients, attempts and what is in their way, in twelve queries for all of them."""
    found = list(rows)
    deliveries: dict[UUID, list[Delivery]] = defaultdict(list)
    for delivery in Delivery.objects.filter(email__in=found).order_by("position"):
        deliveries[delivery.email_id].append(delivery)
    ids = [one.pk for group in deliveries.values() for one in group]
    people: dict[UUID, list[Recipient]] = defaultdict(list)
    for person in Recipient.objects.filter(delivery__in=ids).order_by("position"):
        people[person.delivery_id].append(person)
    tries: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(delivery__in=ids).order_by("number"):
        tries[attempt.delivery_id].append(attempt)
    stuck = problems_of(found, deliveries, [one for group in tries.values() for one in group])
    told, returned = query.told_of([one.pk for one in found]), troubles_of([one.pk for one in found])
    theirs = _their_hours(found)
    answered = {one.reply_to_id for one in found if one.reply_to_id is not None}
    threads = dict(Delivery.objects.filter(pk__in=answered).values_list("pk", "email_id")) if answered else {}
    return [
        {
            "id": str(email.pk),
            "status": email.status,
            "subject": email.subject,
            "created_at": email.created_at,
            "send_at": email.send_at,
            "their_hours": theirs.get(email.pk, []),
            "undo_until": email.undo_until,
            "reply_to_email": str(threads[email.reply_to_id]) if email.reply_to_id in threads else None,
            "problem": email.problem or _code(returned.get(email.pk)),
            "problem_detail": _problem(stuck.get(email.pk)) or _came_back(email, returned.get(email.pk)),
            "signal": told[email.pk].best.kind if email.pk in told else None,
            **_people(told.get(email.pk)),
            "progress": asdict(progress.of(deliveries[email.pk])),
            "deliveries": [_delivery(one, people[one.pk], tries[one.pk]) for one in deliveries[email.pk]],
        }
        for email in found
    ]


def _problem(found: Problem | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "cause": found.cause,
        "sentence": found.sentence,
        "words": found.words,
        "fix": found.fix,
        "who": found.who,
    }


def _their_hours(emails: list[Email]) -> dict[UUID, list[dict[str, str]]]:
    """Of those that wait for their hour."""
    waiting = {one.pk: one.send_at for one in emails if one.status == EmailStatus.SCHEDULED and one.send_at}
    known = clocks.of_emails([one for one in emails if one.pk in waiting]) if waiting else {}
    return {
        pk: [
            {"address": one, "at": offsets.there(waiting[pk], minutes).isoformat(timespec="seconds")}
            for one, minutes in people.items()
        ]
        for pk, people in known.items()
    }


def _code(found: Trouble | None) -> str | None:
    """The cause of an email that left and came back, or is late."""
    if found is None:
        return None
    return "bounced" if found.bounced else "delayed"


def _came_back(email: Email, found: Trouble | None) -> dict[str, Any] | None:
    code = _code(found)
    if found is None or code is None:
        return None
    people = len(email.to) + len(email.cc) + len(email.bcc)
    return {"cause": code, "sentence": found.sentence(people), "words": "", "fix": None, "who": []}


def _people(told: query.Told | None) -> dict[str, int]:
    """Of how many copies a person is known to have opened, clicked, answered."""
    if told is None:
        return {"opened": 0, "clicked": 0, "answered": 0}
    return {"opened": told.opened, "clicked": told.clicked, "answered": told.answered}


def _delivery(row: Delivery, people: list[Recipient], tries: list[Attempt]) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "recipients": [{"address": one.address, "type": one.type} for one in people],
        "status": row.status,
        "held_cause": row.held_cause or None,
        "due_at": row.due_at,
        "look_at": row.look_at,
        "ask_from": row.ask_from,
        "attempts": [
            {"started_at": one.started_at, "outcome": one.outcome or None, "words": attempt_words(one)}
            for one in tries
        ],
    }


def signal(row: Signal) -> dict[str, Any]:
    """A signal."""
    return {
        "id": str(row.pk),
        "delivery": str(row.delivery),
        "recipient": row.recipient,
        "kind": row.kind,
        "class": row.klass,
        "confidence": row.confidence,
        "reason": row.reason,
        "rule": row.rule,
        "at": row.at,
        "link": row.link_target or None,
        "struck": row.struck,
        "count": row.count,
    }
