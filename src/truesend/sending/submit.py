"""From a draft to queued deliveries: stored whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from truesend import clock, live_events
from truesend.connections.describe import describe
from truesend.connections.models import Connection
from truesend.organizations import presence
from truesend.organizations.models import Member
from truesend.sending import attachments, lines, people_lists, pictures, schedule, suppressing, wake
from truesend.sending import day as days
from truesend.sending.addresses import nobody_twice, parse_all
from truesend.sending.attachments import clean_name
from truesend.sending.compose import File
from truesend.sending.copies import People
from truesend.sending.models import (
    Delivery,
    DeliveryStatus,
    Email,
    EmailStatus,
    IdempotencyKey,
    Recipient,
    RecipientType,
)
from truesend.sending.readiness import Draft, Gate, Readiness, check
from truesend.sending.settle import refresh_email
from truesend.sending.sizes import Enclosed

IDEMPOTENCY_LIFETIME = timedelta(days=7)


class NotReady(Exception):
    """Not everything is in place; nothing was stored."""

    def __init__(self, readiness: Readiness) -> None:
        super().__init__("not ready")
        self.readiness = readiness


class IdempotencyMismatch(Exception):
    """The key was used for another body, which made the email ``email_id``."""

    def __init__(self, email_id: UUID) -> None:
        super().__init__("another body")
        self.email_id = email_id


@dataclass(frozen=True)
class Written:
    """What a member wrote, as it came in."""

    connection: Connection | None
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    subject: str = ""
    html: str = ""
    text: str = ""
    files: Sequence[File] = field(default=(), repr=False)
    # The files that lie with the draft already.
    stored: Sequence[Enclosed] = ()
    separate_copies: bool = False
    # A list of people with values for merge fields; each gets a copy.
    people: People | None = field(default=None, repr=False)
    # None: what the organization has chosen for new emails.
    track: bool | None = True
    send_at: datetime | None = None
    undo_seconds: int = 0
    is_test: bool = False
    # The copy in whose conversation it goes.
    reply_to_id: UUID | None = None
    # One of the connection's other addresses; empty: its own.
    sender: str = ""


def draft_of(written: Written) -> Draft:
    """``written`` with its recipients checked and its connection judged."""
    to, to_problems = parse_all(list(written.to))
    cc, cc_problems = parse_all(list(written.cc))
    bcc, bcc_problems = parse_all(list(written.bcc))
    to, cc, bcc = nobody_twice(to, cc, bcc)
    described = describe(written.connection) if written.connection else None
    draft = Draft(
        connection=described,
        to=to,
        cc=cc,
        bcc=bcc,
        subject=written.subject,
        html=written.html,
        text=written.text,
        files=[*written.stored, *map(_enclosed, written.files)],
        separate_copies=written.separate_copies,
        send_at=written.send_at,
        at_once=written.is_test,
        is_test=written.is_test,
        sender=written.sender,
        problems=[*to_problems, *cc_problems, *bcc_problems],
        subject_problem=lines.problem("The subject", written.subject),
    )
    return days.planned(people_lists.merged(draft, written.people))


def _enclosed(file: File) -> Enclosed:
    return Enclosed(clean_name(file.name), len(file.content), bool(file.content_id))


def submit(
    member: Member, written: Written, *, key: str = "", draft_id: UUID | None = None
) -> tuple[Email, bool]:
    """Queue an email; (email, newly made). Raises :class:`NotReady` or :class:`IdempotencyMismatch`.

    With ``draft_id`` the stored draft becomes the email; pressing Send twice queues it once. An hour that has just
    passed is now; one so long ago that it would be late raises :class:`~truesend.sending.schedule.Unschedulable`.
    """
    digest = body_digest(written)
    if key and (earlier := _earlier(member, key, digest)) is not None:
        return earlier, False
    if written.send_at is not None and schedule.is_late(schedule.late_after(written.send_at), clock.now()):
        raise schedule.Unschedulable(schedule.PASSED)
    draft = draft_of(written)
    readiness = check(member, draft)
    if not readiness.ready:
        raise NotReady(readiness)
    try:
        with transaction.atomic():
            if not presence.hold(member.pk):
                # Removed or deactivated since they asked: their mail would wait where nobody sees it.
                now = Member.objects.select_related("organization", "user").get(pk=member.pk)
                raise NotReady(check(now, draft))
            email = _store(member, written, draft, draft_id, readiness.delayed())
            if key:
                IdempotencyKey.objects.filter(
                    member=member, key=key, created_at__lt=clock.now() - IDEMPOTENCY_LIFETIME
                ).delete()
                IdempotencyKey.objects.create(member=member, key=key, body_digest=digest, email=email)
    except IntegrityError:
        # The same key arrived twice at the same time: the other one won.
        winner = _earlier(member, key, digest) if key else None
        if winner is None:
            raise
        return winner, False
    return email, True


def body_digest(written: Written) -> bytes:
    """A digest of everything that makes the email what it is."""
    people = written.people.people if written.people else ()
    body: dict[str, Any] = {
        "connection": str(written.connection.pk) if written.connection else None,
        "to": list(written.to),
        "cc": list(written.cc),
        "bcc": list(written.bcc),
        "subject": written.subject,
        "html": written.html,
        "text": written.text,
        "files": [
            [file.name, file.content_type, hashlib.sha256(file.content).hexdigest(), file.content_id]
            for file in written.files
        ],
        "separate": written.separate_copies,
        "track": written.track,
        "send_at": written.send_at.isoformat() if written.send_at else None,
        "undo": written.undo_seconds,
        "reply_to": str(written.reply_to_id) if written.reply_to_id else None,
        "sender": written.sender,
        **({"people": [[one.address, one.name, dict(one.values)] for one in people]} if people else {}),
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()


def _earlier(member: Member, key: str, digest: bytes) -> Email | None:
    row = (
        IdempotencyKey.objects.select_related("email")
        .filter(member=member, key=key, created_at__gte=clock.now() - IDEMPOTENCY_LIFETIME)
        .first()
    )
    if row is None:
        return None
    if bytes(row.body_digest) != digest:
        raise IdempotencyMismatch(row.email_id)
    return row.email


class AlreadySent(Exception):
    """The draft was sent a moment ago (a second press of Send)."""


def _store(
    member: Member, written: Written, draft: Draft, draft_id: UUID | None, delayed: Gate | None
) -> Email:
    now = clock.now()
    assert draft.connection is not None
    connection = draft.connection.connection
    undo_until = now + timedelta(seconds=written.undo_seconds) if written.undo_seconds else None
    later = written.send_at if written.send_at and written.send_at > now else None
    due_at = later or undo_until or now
    fields: dict[str, Any] = {
        "connection": connection,
        "status": EmailStatus.SCHEDULED if later else EmailStatus.QUEUED,
        "to": [str(one) for one in draft.to],
        "cc": [str(one) for one in draft.cc],
        "bcc": [str(one) for one in draft.bcc],
        "subject": written.subject,
        "html": written.html,
        "text": written.text,
        "separate_copies": written.separate_copies,
        "track": member.organization.track_by_default if written.track is None else written.track,
        "is_test": written.is_test,
        "reply_to_id": written.reply_to_id,
        "sender": written.sender,
        "send_at": later,
        "undo_until": undo_until,
        "created_at": now,
        "updated_at": now,
    }
    if draft_id is None:
        email = Email.objects.create(organization=member.organization, member=member, **fields)
    else:
        own = Email.objects.filter(pk=draft_id, member=member, status=EmailStatus.DRAFT)
        if own.update(**fields) != 1:
            raise AlreadySent
        email = Email.objects.get(pk=draft_id)
    attachments.attach_all(email, written.files)
    if draft_id is not None:
        pictures.drop_unused(email.pk, email.html)
    if written.people is not None and draft_id is None:
        people_lists.keep(email, written.people)
    if suppressing.is_to_many(draft):
        draft = _without_left_out(email, member, draft)
    if delayed is not None and delayed.until is not None:
        # Begun as queued, as every email; it is held, and says so, from its first moment on.
        times = days.times(draft, max(due_at, delayed.until))
        _deliveries(email, connection, draft, times, held_cause=delayed.cause)
        refresh_email(email.pk, problem=delayed.cause)
        email.refresh_from_db()
    else:
        _deliveries(email, connection, draft, days.times(draft, due_at))
    live_events.publish(email.organization_id, "email", [email.pk])
    wake.mailbox(connection.pk)
    return email


def _without_left_out(email: Email, member: Member, draft: Draft) -> Draft:
    """The draft without those who are on the suppression list, which is noted."""
    found = suppressing.left_out(email.organization_id, draft.recipients)
    suppressing.note(email.pk, email.organization_id, found)
    to, cc, bcc = (
        [one for one in people if one.address not in found] for people in (draft.to, draft.cc, draft.bcc)
    )
    if not (to or cc or bcc):
        raise NotReady(check(member, draft))  # the last of them unsubscribed a moment ago
    return replace(draft, to=to, cc=cc, bcc=bcc)


def _deliveries(
    email: Email, connection: Connection, draft: Draft, times: Sequence[datetime], *, held_cause: str = ""
) -> None:
    typed = [
        *((one, RecipientType.TO) for one in draft.to),
        *((one, RecipientType.CC) for one in draft.cc),
        *((one, RecipientType.BCC) for one in draft.bcc),
    ]
    groups = [[(one, RecipientType.TO)] for one, _ in typed] if email.separate_copies else [typed]
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            email=email,
            connection=connection,
            position=position,
            status=DeliveryStatus.QUEUED,
            due_at=times[position],
            held_cause=held_cause,
            values=draft.values.get(group[0][0].address.lower(), {}) if email.separate_copies else {},
            late_after=schedule.late_after(times[position]) if email.send_at else None,
        )
        for position, group in enumerate(groups)
    )
    Recipient.objects.bulk_create(
        Recipient(delivery=delivery, position=number, address=one.address, name=one.name, type=kind)
        for delivery, group in zip(deliveries, groups, strict=True)
        for number, (one, kind) in enumerate(group)
    )
