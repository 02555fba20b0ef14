"""What members write with: templates and snippets, signatures, and the other addresses a mailbox may send from."""

from __future__ import annotations

import uuid

from django.db import models

from truesend import clock


class TemplateKind(models.TextChoices):
    """How it is used."""

    TEMPLATE = "template", "Template"  # a whole email, with its subject
    SNIPPET = "snippet", "Snippet"  # a few words put in where one writes


class Template(models.Model):
    """A text to begin from. A shared one is everybody's in the organization, a personal one its author's alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="templates", db_index=False
    )
    # Who made it.
    member = models.ForeignKey("organizations.Member", on_delete=models.PROTECT, related_name="templates")
    shared = models.BooleanField(default=False)
    kind = models.CharField(max_length=10, choices=TemplateKind.choices)
    name = models.CharField(max_length=120)
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    # Deleted, and for a while brought back by “Undo”.
    deleted_at = models.DateTimeField(null=True)
    # Guards the page: an older text never takes a newer one's place.
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=TemplateKind.values), name="template_kind_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "name"],
                condition=models.Q(deleted_at__isnull=True),
                name="template_by_name",
            ),
            models.Index(
                fields=["deleted_at"],
                condition=models.Q(deleted_at__isnull=False),
                name="template_deleted",
            ),
        ]


class Signature(models.Model):
    """What a member closes an email with that goes out from one connection. Their own, of a shared one too."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(
        "organizations.Member", on_delete=models.CASCADE, related_name="signatures", db_index=False
    )
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.CASCADE, related_name="signatures"
    )
    html = models.TextField()
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "connection"], name="signature_once_each"),
        ]


class Sender(models.Model):
    """An address beside a connection's own that its provider lets it send from, as it last said."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.CASCADE, related_name="senders", db_index=False
    )
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "address"], name="sender_once"),
        ]


class SendersRead(models.Model):
    """When a connection's other addresses were last read from its provider."""

    connection = models.OneToOneField(
        "connections.Connection", on_delete=models.CASCADE, primary_key=True, related_name="senders_read"
    )
    read_at = models.DateTimeField()
