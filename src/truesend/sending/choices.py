"""What emails, copies and attempts can be: the words of their columns."""

from __future__ import annotations

from django.db import models


class EmailStatus(models.TextChoices):
    """What a member sees of an email; all but `draft` and `scheduled` follow from its deliveries."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    PARTLY = "partly"
    UNKNOWN = "unknown"
    HELD = "held"
    PAUSED = "paused"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeliveryStatus(models.TextChoices):
    """Where one copy stands."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Outcome(models.TextChoices):
    """What one attempt came to; empty while it runs, and a started attempt without outcome is UNKNOWN."""

    ACCEPTED = "ACCEPTED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"


class SettledBy(models.TextChoices):
    """What told the truth about an attempt that was unknown."""

    SENT = "sent"  # the mailbox's Sent folder
    PERSON = "person"
    WORKER = "worker"  # the one that had been stopped, later


class RecipientType(models.TextChoices):
    """In which header a recipient stands."""

    TO = "to"
    CC = "cc"
    BCC = "bcc"
