"""Which connections' contacts are told of mail from other accounts, and each mail of which they are to be told."""

from __future__ import annotations

import uuid

from django.db import models

from truesend import clock


class Status(models.TextChoices):
    """Where a recording stands; which may follow which stands in :mod:`truesend.crm.states`."""

    WAITING = "waiting", "Waiting"
    # A call that notes it was begun: until its answer is read nobody knows whether it is there.
    POSTING = "posting", "Under way"
    RECORDED = "recorded", "Recorded"
    NO_CONTACT = "no_contact", "No contact"
    REFUSED = "refused", "Refused"
    STOPPED = "stopped", "Stopped"


class Recorder(models.Model):
    """A connection of which somebody wants that its contacts are told; without a row nothing is asked of it."""

    connection = models.OneToOneField(
        "connections.Connection", on_delete=models.CASCADE, primary_key=True, related_name="recorder"
    )
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="recorders"
    )
    # Which account at which provider: where two connections stand for one, a mail is noted once.
    place = models.CharField(max_length=300)
    since = models.DateTimeField(default=clock.now)
    # Nothing is asked before then; how often in a row nothing came of it, of which call, and why.
    rest_until = models.DateTimeField(null=True)
    misses = models.PositiveIntegerField(default=0)
    call = models.CharField(max_length=60, blank=True, default="")
    cause = models.CharField(max_length=60, blank=True, default="")
    words = models.CharField(max_length=500, blank=True, default="")


class Recording(models.Model):
    """One person who got one copy, to be noted with their contact. Made by a trigger when the copy is accepted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Without a foreign key in the database: an accepted send must not wait for a consent that holds this row.
    connection = models.ForeignKey(
        "connections.Connection",
        on_delete=models.CASCADE,
        related_name="recordings",
        db_index=False,
        db_constraint=False,
    )
    delivery = models.ForeignKey("sending.Delivery", on_delete=models.CASCADE, related_name="recordings")
    recipient = models.ForeignKey(
        "sending.Recipient", on_delete=models.CASCADE, related_name="recordings", db_index=False
    )
    place = models.CharField(max_length=300)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    # When to look at it next; null where it has ended.
    due_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    # When the newest call began, and from when it cannot come to pass any more.
    begun_at = models.DateTimeField(null=True)
    sure_at = models.DateTimeField(null=True)
    # The contact's id and name there, and the id of what was noted.
    contact = models.CharField(max_length=100, blank=True, default="", db_default="")
    contact_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    record = models.CharField(max_length=100, blank=True, default="", db_default="")
    cause = models.CharField(max_length=60, blank=True, default="", db_default="")
    words = models.CharField(max_length=500, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "place"], name="recording_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values), name="recording_status_known"
            ),
            # Nothing is forgotten, and nothing that has ended is looked at.
            models.CheckConstraint(
                condition=models.Q(status__in=["waiting", "posting"], due_at__isnull=False)
                | (~models.Q(status__in=["waiting", "posting"]) & models.Q(due_at__isnull=True)),
                name="recording_due_until_it_ends",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name="recording_due",
            ),
        ]

    @property
    def mark(self) -> str:
        """What it is called at the provider: the same however often it is tried, also after a restore."""
        return f"truesend-{self.delivery_id.hex}-{self.recipient.position}"
