"""Mailboxes that are read, and the mails found there that concern what was sent. Nothing else of a mailbox is kept."""

from __future__ import annotations

import uuid

from django.db import models


class Mailbox(models.Model):
    """How far a connection's mailbox is read, and when it is read next."""

    connection = models.OneToOneField(
        "connections.Connection", on_delete=models.CASCADE, primary_key=True, related_name="mailbox"
    )
    # The provider's own place in the mailbox; empty before the first look. Moved in the transaction that writes what
    # was found behind it.
    cursor = models.TextField(blank=True, default="")
    due_at = models.DateTimeField(null=True, db_index=True)
    # The last look that was answered, and how many after it were not.
    read_at = models.DateTimeField(null=True)
    misses = models.PositiveIntegerField(default=0)
    # When the provider last told of anything new, by an answer or by a push.
    event_at = models.DateTimeField(null=True)


class Arrival(models.Model):
    """A mail that came back and concerns something sent: whose it is to, and what it was. No word of its content."""

    class Kind(models.TextChoices):
        REPLY = "reply"
        AUTO_REPLY = "auto_reply"
        BOUNCE = "bounce"
        DELAY = "delay"
        UNSUBSCRIBE = "unsubscribe"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.CASCADE, related_name="arrivals", db_index=False
    )
    delivery = models.ForeignKey("sending.Delivery", on_delete=models.CASCADE, related_name="arrivals")
    # The provider's id of it in that mailbox, and the one that its author gave it.
    provider_message_id = models.CharField(max_length=1000)
    message_id = models.CharField(max_length=998, blank=True)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    # What was failed or answered is the mailbox's matter, not a recipient's.
    about_sender = models.BooleanField(default=False)
    sender = models.CharField(max_length=320, blank=True)
    at = models.DateTimeField()
    found_at = models.DateTimeField()
    # Of a reply that names it: minutes east of UTC on its writer's clock.
    utc_offset = models.SmallIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["sender", "-at"], condition=models.Q(utc_offset__isnull=False), name="arrival_offsets"
            ),
        ]
        constraints = [
            # However often a mailbox is read from an earlier place, a mail is found once.
            models.UniqueConstraint(fields=["connection", "provider_message_id"], name="arrival_once"),
            # Nor twice where one account stands here as two connections.
            models.UniqueConstraint(
                fields=["delivery", "message_id"],
                condition=~models.Q(message_id=""),
                name="arrival_once_to_a_delivery",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["reply", "auto_reply", "bounce", "delay", "unsubscribe"]),
                name="arrival_kind_known",
            ),
        ]


class Push(models.Model):
    """What a provider promised for a mailbox: to tell of new mail. Only ever a hint; looking does not depend on it."""

    connection = models.OneToOneField(
        "connections.Connection", on_delete=models.CASCADE, primary_key=True, related_name="push"
    )
    # The provider's own name of it.
    ref = models.CharField(max_length=1000, blank=True, default="")
    # Of the address it calls, and of the secret that it shows there; null where calls are signed.
    token_digest = models.BinaryField(max_length=32, null=True, unique=True)
    secret_digest = models.BinaryField(max_length=32, null=True)
    # When it ends by the provider's word, and when it is renewed.
    expires_at = models.DateTimeField(null=True)
    renew_at = models.DateTimeField(db_index=True)
    cause = models.CharField(max_length=60, blank=True, default="")
    words = models.CharField(max_length=500, blank=True, default="")
    # When it last told of anything.
    told_at = models.DateTimeField(null=True)


class PushCount(models.Model):
    """Calls to a webhook in a day, by what they were."""

    class Result(models.TextChoices):
        TAKEN = "taken"
        HANDSHAKE = "handshake"
        FORGED = "forged"
        UNKNOWN = "unknown"

    provider = models.CharField(max_length=20)
    day = models.DateField()
    result = models.CharField(max_length=10, choices=Result.choices)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "day", "result"], name="push_count_once"),
        ]
