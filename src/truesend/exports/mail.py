"""The rows of emails and of what became of them, as an export writes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from truesend.connections.models import Connection
from truesend.exports import names
from truesend.exports.reach import Reach, values
from truesend.sending.models import Attachment, Attempt, Recipient
from truesend.sending.people_models import PeopleList
from truesend.suppression.models import LeftOut
from truesend.tracking.models import CopyTally

Row = dict[str, Any]

EMAIL = (
    "id", "created_at", "status", "problem", "member", "writer", "connection", "from", "to", "cc", "bcc", "subject",
    "separate_copies", "track", "send_at", "updated_at", "is_test", "files",
)  # fmt: skip
"""Columns of `emails.csv`; `emails.jsonl` has the texts besides."""

RECIPIENT = (
    "email", "subject", "created_at", "copy", "address", "name", "type", "status", "held_cause", "due_at", "sent_at",
    "opened", "clicked", "answered",
)  # fmt: skip
SIGNAL = (
    "id", "email", "copy", "recipient", "at", "kind", "class", "confidence", "reason", "rule", "link_label",
    "link_target", "count", "struck",
)  # fmt: skip


def emails(reach: Reach) -> Iterator[Row]:
    """Each email with its texts, its list of people and the names of its files in the archive."""
    for found in reach.stretches():
        ids = [one.pk for one in found]
        files: dict[UUID, list[Row]] = defaultdict(list)
        for file in Attachment.objects.filter(email__in=ids).order_by("email", "position"):
            files[file.email_id].append(
                {"name": file.name, "type": file.content_type, "size": file.size, "content_id": file.content_id,
                 "path": path_of(file)}
            )  # fmt: skip
        lists = {one.email_id: one for one in PeopleList.objects.filter(email__in=ids)}
        # A member's archive has only the connections that are theirs, and nobody knows the others by an id.
        sent_by = Connection.objects.filter(pk__in={one.connection_id for one in found})
        boxes: dict[UUID | None, str] = dict(sent_by.values_list("pk", "address"))
        for one in found:
            people = lists.get(one.pk)
            yield {
                "id": one.pk, "created_at": one.created_at, "updated_at": one.updated_at, "status": one.status,
                "problem": one.problem, "member": one.member_id, "writer": one.writer_id,
                "connection": one.connection_id, "from": one.sender or boxes.get(one.connection_id, ""),
                "to": one.to, "cc": one.cc, "bcc": one.bcc,
                "subject": one.subject, "html": one.html, "text": one.text, "separate_copies": one.separate_copies,
                "track": one.track, "is_test": one.is_test, "send_at": one.send_at, "corrects": one.corrects_id,
                "reply_to": one.reply_to_id, "attachments": files[one.pk],
                "files": [each["path"] for each in files[one.pk]],
                "people": {"columns": people.columns, "rows": people.people} if people is not None else None,
            }  # fmt: skip


def copies(reach: Reach) -> Iterator[Row]:
    """Each copy that was handed to a provider, or is to be, with its recipients and every try."""
    for found in reach.deliveries():
        ids = [one.pk for one in found]
        people: dict[UUID, list[Row]] = defaultdict(list)
        for who in Recipient.objects.filter(delivery__in=ids).order_by("delivery", "position"):
            people[who.delivery_id].append({"address": who.address, "name": who.name, "type": who.type})
        tries: dict[UUID, list[Row]] = defaultdict(list)
        for one in Attempt.objects.filter(delivery__in=ids).order_by("delivery", "number"):
            tries[one.delivery_id].append(
                {"number": one.number, "started_at": one.started_at, "finished_at": one.finished_at,
                 "outcome": one.outcome, "cause": one.cause, "words": one.words, "settled_at": one.settled_at,
                 "settled_by": one.settled_by}
            )  # fmt: skip
        for copy in found:
            yield {
                "id": copy.pk, "email": copy.email_id, "connection": copy.connection_id, "status": copy.status,
                "due_at": copy.due_at, "held_cause": copy.held_cause, "sent_at": copy.sent_at,
                "recipients": people[copy.pk], "values": copy.values, "links": copy.links,
                "message_id": copy.message_id, "provider_message_id": copy.provider_message_id,
                "provider_thread_id": copy.provider_thread_id, "attempts": tries[copy.pk],
            }  # fmt: skip


def recipients(reach: Reach) -> Iterator[Row]:
    """Each person of each copy, for a spreadsheet; of a copy that several got, nobody knows who opened it."""
    for found in reach.deliveries():
        known = {one.pk: one for one in found}
        told = {one.delivery: one for one in CopyTally.objects.filter(delivery__in=known)}
        for who in Recipient.objects.filter(delivery__in=known).order_by("delivery", "position"):
            copy, tally = known[who.delivery_id], told.get(who.delivery_id)
            yield {
                "email": copy.email_id, "subject": copy.email.subject, "created_at": copy.email.created_at,
                "copy": copy.pk, "address": who.address, "name": who.name, "type": who.type, "status": copy.status,
                "held_cause": copy.held_cause, "due_at": copy.due_at, "sent_at": copy.sent_at,
                "opened": tally is not None and tally.opened, "clicked": tally is not None and tally.clicked,
                "answered": tally is not None and tally.answered,
            }  # fmt: skip


def signals(reach: Reach) -> Iterator[Row]:
    """Each open, click, reply, bounce and so on, with its reason; not the request behind it."""
    for found in reach.signals():
        for one in found:
            yield {
                "id": one.pk, "email": one.email, "copy": one.delivery, "recipient": one.recipient, "at": one.at,
                "kind": one.kind, "class": one.klass, "confidence": one.confidence, "reason": one.reason,
                "rule": one.rule, "rules_version": one.rules_version, "link": one.link,
                "link_label": one.link_label, "link_target": one.link_target, "count": one.count,
                "struck": one.struck,
            }  # fmt: skip


def left_out(reach: Reach) -> Iterator[Row]:
    """Each person who did not get their copy, because the suppression list names them."""
    for emails_ in reach.stretches("subject"):
        rows = LeftOut.objects.filter(
            organization=reach.organization_id, email__in=[one.pk for one in emails_]
        )
        yield from values(rows.order_by("pk"), "email", "delivery", "address", "reason", "since", "at")


def path_of(file: Attachment) -> str:
    """Where a file stands in the archive."""
    return f"attachments/{file.email_id}/{file.position + 1:02}-{names.safe(file.name)}"


def pieces(file: Attachment) -> Iterator[bytes]:
    """A file's bytes, a stretch at a time."""
    last = -1
    while (piece := file.pieces.filter(position__gt=last).first()) is not None:
        last = piece.position
        yield bytes(piece.content)
