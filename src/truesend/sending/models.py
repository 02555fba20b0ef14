"""Emails, their deliveries and the attempts at them."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from truesend import clock
from truesend.sending import people_models  # noqa: F401  # tables in a file of their own
from truesend.sending.choices import DeliveryStatus, EmailStatus, Outcome, RecipientType, SettledBy


class Email(models.Model):
    """What a member wrote."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Here and below: no index of its own where one over more columns begins with it.
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="emails", db_index=False
    )
    member = models.ForeignKey(
        "organizations.Member", on_delete=models.PROTECT, related_name="emails", db_index=False
    )
    # A draft may not have chosen yet.
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.PROTECT, null=True, related_name="emails"
    )
    status = models.CharField(max_length=10, choices=EmailStatus.choices)
    # A sentence and its cause code while something is in the way.
    problem = models.CharField(max_length=60, blank=True)
    to = ArrayField(models.TextField(), default=list)
    cc = ArrayField(models.TextField(), default=list)
    bcc = ArrayField(models.TextField(), default=list)
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    separate_copies = models.BooleanField(default=False)
    track = models.BooleanField(default=True)
    # A test mail to oneself: proves the connection, stays out of My Emails.
    is_test = models.BooleanField(default=False)
    send_at = models.DateTimeField(null=True)
    undo_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    # The email of which this one writes again what was refused or stopped.
    corrects = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="corrections", db_index=False
    )
    # The copy in whose thread this one goes.
    reply_to = models.ForeignKey(
        "Delivery", on_delete=models.SET_NULL, null=True, related_name="replies", db_index=False
    )
    # One of the connection's other addresses, which it is sent from; empty: its own.
    sender = models.CharField(max_length=320, blank=True, default="", db_default="")
    # What a person said of its copies that wait: `paused`, `stopped`, or empty. Holds for what comes back, too.
    halt = models.CharField(max_length=7, blank=True, default="", db_default="")
    # Who wrote it, where it was handed to somebody else because they left.
    writer = models.ForeignKey(
        "organizations.Member", on_delete=models.SET_NULL, null=True, related_name="written", db_index=False
    )
    # Guards autosave: the newest edit wins, an older one that arrives late is refused.
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=EmailStatus.values), name="email_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status="draft") | models.Q(connection__isnull=False),
                name="email_connection_once_sent",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "id"]),
            models.Index(fields=["member", "-created_at", "id"]),
            models.Index(
                fields=["corrects"], condition=models.Q(corrects__isnull=False), name="email_corrects"
            ),
            models.Index(
                fields=["reply_to"], condition=models.Q(reply_to__isnull=False), name="email_reply_to"
            ),
        ]


class EmailEntry(models.Model):
    """What finds an email in a list, narrow and indexed. Written by triggers on the emails; a test mail has none.

    ``state`` is the email's status, but ``moving`` while it is queued, handed over and sent: so an email on its usual
    way writes here once. ``words`` are those of its subject, people and links, each behind its member's prefix:
    searching touches nobody else's.
    """

    email = models.OneToOneField(Email, on_delete=models.CASCADE, primary_key=True, related_name="entry")
    member_id = models.UUIDField()
    created_at = models.DateTimeField()
    state = models.CharField(max_length=10)
    words = SearchVectorField()

    class Meta:
        indexes = [
            models.Index(fields=["member_id", "-created_at", "-email"], name="emailentry_newest"),
            models.Index(fields=["member_id", "state", "-created_at", "-email"], name="emailentry_state"),
            GinIndex(fields=["words"], name="emailentry_words"),
        ]


class Attachment(models.Model):
    """A file that travels with an email; of a draft already, and no byte moves when the draft is sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.ForeignKey(Email, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    # Bytes.
    size = models.PositiveIntegerField()
    # Of a picture that stands in the text: what the HTML calls it (`cid:`); of a file beside the text empty.
    content_id = models.CharField(max_length=80, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["email", "position"], name="attachment_position_once")]

    @property
    def content(self) -> bytes:
        """The whole file, read now."""
        return b"".join(bytes(one) for one in self.pieces.values_list("content", flat=True))


class AttachmentPiece(models.Model):
    """A stretch of a file: stored and read one at a time, so that no process holds a large file whole to move it."""

    attachment = models.ForeignKey(
        Attachment, on_delete=models.CASCADE, related_name="pieces", db_index=False
    )
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["attachment", "position"]
        constraints = [
            models.UniqueConstraint(fields=["attachment", "position"], name="attachment_piece_position_once")
        ]


class Delivery(models.Model):
    """One copy handed to a provider; its id is the mark that travels with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.ForeignKey(Email, on_delete=models.CASCADE, related_name="deliveries")
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.PROTECT, related_name="deliveries"
    )
    position = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices)
    # When to try next; null when nothing is due.
    due_at = models.DateTimeField(null=True)
    # Of what was written for an hour: once it is so late, it does not leave before somebody has seen it.
    late_after = models.DateTimeField(null=True)
    # Why a queued copy does not go: with a due time it goes by itself then, without it waits for a person.
    held_cause = models.CharField(max_length=60, blank=True)
    # When an unknown copy is looked for in Sent next; null where there is nothing more to look at.
    look_at = models.DateTimeField(null=True)
    # When one that its member is asked about is looked for once more: some providers show late what was sent.
    look_late_at = models.DateTimeField(null=True)
    # From when "it is not there" can be believed of an unknown copy, from a person too.
    ask_from = models.DateTimeField(null=True)
    # When what its tries have left in the mailbox is taken away, if it has ended by then.
    clear_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    # The tracked links: [{index, target, text}], index as it stands in their tokens.
    links = models.JSONField(default=list)
    # What its merge fields are filled with, by the names of the columns.
    values = models.JSONField(default=dict, db_default={})
    provider_message_id = models.CharField(max_length=255, blank=True)
    provider_thread_id = models.CharField(max_length=255, blank=True)
    message_id = models.CharField(max_length=998, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=DeliveryStatus.values), name="delivery_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(due_at__isnull=True) | models.Q(status="queued"),
                name="delivery_due_only_queued",
            ),
            models.CheckConstraint(
                condition=models.Q(held_cause="") | models.Q(status="queued"),
                name="delivery_held_only_queued",
            ),
            # Nothing is forgotten: what is queued has an hour or a reason.
            models.CheckConstraint(
                condition=~models.Q(status="queued")
                | models.Q(due_at__isnull=False)
                | ~models.Q(held_cause=""),
                name="delivery_queued_for_something",
            ),
            models.CheckConstraint(
                condition=models.Q(look_at__isnull=True) | models.Q(status="unknown"),
                name="delivery_look_only_unknown",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "due_at"], condition=models.Q(due_at__isnull=False), name="delivery_due"
            ),
            models.Index(
                fields=["connection"], condition=models.Q(status="sending"), name="delivery_sending"
            ),
            # What waits until somebody lets it go.
            models.Index(
                fields=["connection", "held_cause"],
                condition=models.Q(status="queued", due_at__isnull=True),
                name="delivery_held",
            ),
            models.Index(
                fields=["look_at", "connection"],
                condition=models.Q(look_at__isnull=False),
                name="delivery_look",
            ),
            # What a mailbox sent in the past day.
            models.Index(
                fields=["connection", "sent_at"],
                condition=models.Q(sent_at__isnull=False),
                name="delivery_sent",
            ),
            models.Index(
                fields=["clear_at", "connection"],
                condition=models.Q(clear_at__isnull=False),
                name="delivery_clear",
            ),
            models.Index(
                fields=["look_late_at", "connection"],
                condition=models.Q(look_late_at__isnull=False, status="unknown"),
                name="delivery_look_late",
            ),
            # What came back names one of these.
            models.Index(
                fields=["provider_thread_id"],
                condition=~models.Q(provider_thread_id=""),
                name="delivery_thread",
            ),
            models.Index(
                fields=["message_id"], condition=~models.Q(message_id=""), name="delivery_message_id"
            ),
        ]


class Recipient(models.Model):
    """One address of a delivery."""

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="recipients", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=3, choices=RecipientType.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "position"], name="recipient_position_once"),
            models.CheckConstraint(
                condition=models.Q(type__in=RecipientType.values), name="recipient_type_known"
            ),
        ]
        indexes = [models.Index(fields=["address"])]


class Attempt(models.Model):
    """One try that may send. Committed as started before the first byte leaves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    # Real time, for the fence and for telling an abandoned attempt.
    started_real_at = models.DateTimeField()
    worker = models.CharField(max_length=80)
    # Real time from which no byte of it can leave any more, whatever becomes of the worker.
    over_at = models.DateTimeField(null=True)
    # Where the mailbox's history stood before it, as the provider counts.
    position = models.CharField(max_length=64, blank=True)
    # What comes before the send and sends nothing is under way: until this ends nothing can have left.
    preparing = models.BooleanField(default=False, db_default=False)
    # What was prepared, as the provider's adapter reads it: a draft, a contact.
    reference = models.CharField(max_length=2000, blank=True, default="", db_default="")
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True)
    cause = models.CharField(max_length=60, blank=True)
    words = models.CharField(max_length=500, blank=True)
    milliseconds = models.PositiveIntegerField(null=True)
    # When and by whom what had been unknown was cleared up.
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=8, blank=True, choices=SettledBy.choices)
    # When its worker told that it had been accepted, after somebody had said that it was not sent.
    arrived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
            # At most one attempt of a delivery runs at a time, whatever the workers believe.
            models.UniqueConstraint(
                fields=["delivery"], condition=models.Q(outcome=""), name="attempt_one_running"
            ),
            models.UniqueConstraint(
                fields=["delivery"], condition=models.Q(outcome="ACCEPTED"), name="attempt_accepted_once"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="") | models.Q(outcome__in=Outcome.values),
                name="attempt_outcome_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["delivery"], condition=models.Q(arrived_at__isnull=False), name="attempt_arrived"
            ),
        ]


class IdempotencyKey(models.Model):
    """A client's `Idempotency-Key`, kept for 7 days."""

    member = models.ForeignKey("organizations.Member", on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    body_digest = models.BinaryField(max_length=32)
    email = models.ForeignKey(Email, on_delete=models.CASCADE)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "key"], name="idempotency_key_once")]


class Worker(models.Model):
    """A worker that lives, or did: one row each, beaten every second on real time."""

    name = models.CharField(max_length=80, primary_key=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField(db_index=True)


class ClientBucket(models.Model):
    """The sends that one client registration may make now, shared by all workers: one row to a provider."""

    provider = models.CharField(max_length=20, primary_key=True)
    tokens = models.FloatField()
    # The database's own time: one clock for every machine.
    refilled_at = models.DateTimeField()
    # Nothing is given out before then: the provider said so, on the clock that can be moved.
    closed_until = models.DateTimeField(null=True)


__all__ = [
    "Attachment",
    "AttachmentPiece",
    "Attempt",
    "ClientBucket",
    "Delivery",
    "DeliveryStatus",
    "Email",
    "EmailEntry",
    "EmailStatus",
    "IdempotencyKey",
    "Outcome",
    "Recipient",
    "RecipientType",
    "SettledBy",
    "Worker",
]
