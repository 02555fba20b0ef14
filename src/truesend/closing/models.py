"""Organizations on their way out, and permissions that are still to be withdrawn for them."""

from __future__ import annotations

import uuid

from django.db import models

from truesend import clock


class Closing(models.Model):
    """An organization that is to be deleted, or is being erased. When: `Organization.ends_at`.

    Until ``erasing_at`` an owner takes it back by deleting the row; from then on nobody does. It goes with its
    organization, as the last of everything.
    """

    organization = models.OneToOneField(
        "organizations.Organization", on_delete=models.CASCADE, primary_key=True, related_name="closing"
    )
    asked_at = models.DateTimeField(default=clock.now)
    # Who wanted it, as text: they may be gone before the organization is.
    asked_by = models.CharField(max_length=254)
    erasing_at = models.DateTimeField(null=True)
    # When a worker is to look at it next.
    look_at = models.DateTimeField()
    # Of Stripe: when it said that nothing is charged any more; null while it has not.
    unbilled_at = models.DateTimeField(null=True)
    # What keeps it from being finished, as whoever runs the installation is told.
    problem = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        db_table = "closing_closing"
        indexes = [models.Index(fields=["look_at"], name="closing_look")]


class Revocation(models.Model):
    """A permission to withdraw at its provider, of a connection that is ended here already.

    What is shown there is sealed in its row, tried again while the provider is away, and goes with the answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="revocations"
    )
    provider = models.CharField(max_length=20)
    # The account at the provider: whoever else here lives on its grant keeps it.
    subject = models.CharField(max_length=255)
    secret = models.BinaryField()
    began_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(default=clock.now)
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "closing_revocation"
