"""Who is not to be written to, who was left out of what, and what stands below mail to many."""

from __future__ import annotations

import uuid

from django.db import models

from truesend import clock
from truesend.organizations.models import Organization


class Reason(models.TextChoices):
    """Why an address is on the list; the order is that of what says most."""

    HARD_BOUNCE = "hard_bounce", "Mail came back"
    BY_HAND = "by_hand", "Put on by hand"
    ASKED = "asked", "Unsubscribed"
    IMPORTED = "imported", "Imported"


BLOCKS = (Reason.HARD_BOUNCE, Reason.BY_HAND)
"""What stops a single mail as well; the others concern mail to many alone (ADR 0023)."""


class Suppression(models.Model):
    """A time in which an organization does not write to an address, for one reason; it lasts until ``allowed_at``.

    What is over stays as the history. ``key`` is what addresses are compared by (:mod:`.addresses`), a digest where
    the person was forgotten, and then ``address`` is empty. ``by`` and ``allowed_by`` say who did it, in words that
    outlive a member. ``delivery`` is the copy whose link was used, ``email`` the one it belongs to.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="suppressions", db_index=False
    )
    key = models.TextField()
    # What follows the @ of the key, to be searched for.
    domain = models.TextField(blank=True)
    address = models.TextField(blank=True)
    reason = models.CharField(max_length=11, choices=Reason.choices)
    source = models.CharField(max_length=500, blank=True, db_default="")
    email = models.UUIDField(null=True)
    delivery = models.UUIDField(null=True)
    at = models.DateTimeField(default=clock.now)
    by = models.CharField(max_length=254, blank=True, db_default="")
    allowed_at = models.DateTimeField(null=True)
    allowed_by = models.CharField(max_length=254, blank=True, db_default="")

    class Meta:
        db_table = "suppression_suppression"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reason__in=["hard_bounce", "by_hand", "asked", "imported"]),
                name="suppression_reason_known",
            ),
            models.UniqueConstraint(
                fields=["organization", "key", "reason"],
                condition=models.Q(allowed_at=None),
                name="suppression_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-at", "-id"],
                condition=models.Q(allowed_at=None),
                name="suppression_newest",
            ),
            models.Index(
                fields=["organization", "key"],
                opclasses=["uuid_ops", "text_pattern_ops"],
                condition=models.Q(allowed_at=None),
                name="suppression_address",
            ),
            models.Index(
                fields=["organization", "domain"],
                opclasses=["uuid_ops", "text_pattern_ops"],
                condition=models.Q(allowed_at=None),
                name="suppression_domain",
            ),
            models.Index(
                fields=["organization", "key", "allowed_at"],
                condition=models.Q(allowed_at__isnull=False),
                name="suppression_history",
            ),
        ]

    @property
    def blocks(self) -> bool:
        """Whether a single mail is stopped too."""
        return self.reason in BLOCKS


class LeftOut(models.Model):
    """Somebody who did not get their copy of an email to many: before it was made, or, with ``delivery``, as it was
    about to leave. ``since`` is from when the address was on the list.
    """

    organization = models.UUIDField()
    email = models.UUIDField()
    delivery = models.UUIDField(null=True)
    address = models.TextField()
    reason = models.CharField(max_length=11, choices=Reason.choices)
    since = models.DateTimeField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "suppression_leftout"
        constraints = [models.UniqueConstraint(fields=["email", "address"], name="suppression_left_out_once")]


class Footer(models.Model):
    """The sentence above the link at the end of mail to many, where an organization has its own."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="unsubscribe_footer"
    )
    sentence = models.CharField(max_length=300)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.CharField(max_length=254, blank=True)

    class Meta:
        db_table = "suppression_footer"
