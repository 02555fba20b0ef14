"""What the operator of this installation has blocked."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from truesend import clock


class Block(models.Model):
    """Links that lead nowhere any more: to a host with all its subdomains, of an organization, or of one delivery.

    ``value`` is the host in ASCII, or the id. Trackers follow a copy of the table on their disk
    (:mod:`truesend.blocklist.mirror`).
    """

    class Kind(models.TextChoices):
        HOST = "host", "Links to a host"
        ORGANIZATION = "organization", "All links of an organization"
        DELIVERY = "delivery", "The links of one copy of an email"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    value = models.CharField(max_length=253)
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        db_table = "blocklist_block"
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="blocklist_block_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["host", "organization", "delivery"]), name="blocklist_block_kind"
            ),
        ]


class Outlived(models.Model):
    """A delivery of a blocked organization that was erased since: a link in a mailbox outlives it, and so the block."""

    delivery = models.UUIDField(primary_key=True)
    organization = models.UUIDField(db_index=True)

    class Meta:
        db_table = "blocklist_outlived"
