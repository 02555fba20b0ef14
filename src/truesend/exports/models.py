"""Archives that were asked for: what of, for whom, how far they have come, and until when they can be had."""

from __future__ import annotations

import uuid

from django.db import models

from truesend import clock


class Scope(models.TextChoices):
    """What an archive holds."""

    MEMBER = "member", "What is yours"
    ORGANIZATION = "organization", "The whole organization"


class Status(models.TextChoices):
    """Where it stands."""

    WAITING = "waiting", "Waits for its turn"
    MAKING = "making", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Not made"
    GONE = "gone", "Deleted"


OPEN = (Status.WAITING, Status.MAKING)


class Export(models.Model):
    """One archive. The row is the truth; its file lies in the data folder of the machine that ``place`` names.

    ``done`` of ``total`` rows are written; ``tries`` counts how often it was begun and guards what a worker writes
    that is behind. ``size`` is in bytes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="exports"
    )
    # Who asked for it, and alone may have it.
    member = models.ForeignKey("organizations.Member", on_delete=models.CASCADE, related_name="exports")
    scope = models.CharField(max_length=12, choices=Scope.choices)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    asked_at = models.DateTimeField(default=clock.now)
    ready_at = models.DateTimeField(null=True)
    # When its file is deleted.
    expires_at = models.DateTimeField(null=True)
    # When a worker is to look at it next; null where there is nothing more to do.
    look_at = models.DateTimeField(null=True, default=clock.now)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    size = models.BigIntegerField(null=True)
    place = models.CharField(max_length=100, blank=True, default="")
    # Why it was not made, or waits: a sentence.
    problem = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "exports_export"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["waiting", "making", "ready", "failed", "gone"]),
                name="export_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(scope__in=["member", "organization"]), name="export_scope_known"
            ),
            # Nothing is forgotten: what is not finished, and what is to be deleted, is looked at.
            models.CheckConstraint(
                condition=models.Q(status__in=["waiting", "making", "ready"], look_at__isnull=False)
                | models.Q(status__in=["failed", "gone"], look_at__isnull=True),
                name="export_looked_at",
            ),
            models.UniqueConstraint(
                fields=["member", "scope"],
                condition=models.Q(status__in=["waiting", "making"]),
                name="export_one_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["look_at"], condition=models.Q(look_at__isnull=False), name="export_look")
        ]
