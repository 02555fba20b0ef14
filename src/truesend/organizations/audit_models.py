"""The table of administrative acts, in a file of its own beside :mod:`truesend.organizations.models`."""

from __future__ import annotations

import uuid

from django.db import models

from truesend import clock


class AuditEntry(models.Model):
    """An administrative act. Rows are added and never changed: a trigger holds that, also against our own mistakes.

    Who acted is kept as text, so that an entry reads the same when they have left. Entries go with their organization
    and with nothing else; the foreign key that does it stands in the migration.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "organizations.Organization",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="audit_entries",
    )
    at = models.DateTimeField(default=clock.now)
    # Null: nobody of the organization; Truesend itself, or whoever holds the machine.
    actor = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=150, blank=True)
    actor_email = models.CharField(max_length=254, blank=True)
    # One of `truesend.organizations.audit.ACTIONS`.
    action = models.CharField(max_length=60)
    # What it was done to, as people call it.
    about = models.CharField(max_length=254, blank=True)
    # What there is to say besides.
    words = models.CharField(max_length=500, blank=True)
    # The id of what it was done to, where it has one.
    ref = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "-at", "-id"], name="audit_newest")]
